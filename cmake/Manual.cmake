# SPDX-License-Identifier: Apache-2.0
# Makes OUT/sc-hsm.1, the page with what the tool says about its commands, and the shells' completions
# beside it, which the tool prints. TOOL is the words that run it.
cmake_minimum_required(VERSION 3.18)

foreach(what "manual" "completion;bash" "completion;zsh" "completion;fish")
  execute_process(COMMAND ${TOOL} help --${what}
    OUTPUT_VARIABLE printed RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${TOOL} help --${what} ended with ${status}")
  endif()
  list(GET what -1 name)
  set(${name} "${printed}")
endforeach()

file(READ "${PAGE}" page)
string(REPLACE "@VERSION@" "${VERSION}" page "${page}")
string(REPLACE "@DATE@" "${DATE}" page "${page}")
string(REPLACE ".\\\" @COMMANDS@\n" "${manual}" page "${page}")
file(MAKE_DIRECTORY "${OUT}")
file(WRITE "${OUT}/sc-hsm.1" "${page}")
file(WRITE "${OUT}/sc-hsm.bash" "${bash}")
file(WRITE "${OUT}/_sc-hsm" "${zsh}")
file(WRITE "${OUT}/sc-hsm.fish" "${fish}")
