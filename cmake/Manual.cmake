# SPDX-License-Identifier: Apache-2.0
# Makes OUT/sc-hsm.1 and OUT/sc-hsm.bash: the page with what the tool says about its commands. TOOL
# is the words that run it.
cmake_minimum_required(VERSION 3.18)

foreach(what manual completion)
  execute_process(COMMAND ${TOOL} help --${what}
    OUTPUT_VARIABLE ${what} RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${TOOL} help --${what} ended with ${status}")
  endif()
endforeach()

file(READ "${PAGE}" page)
string(REPLACE "@VERSION@" "${VERSION}" page "${page}")
string(REPLACE "@DATE@" "${DATE}" page "${page}")
string(REPLACE ".\\\" @COMMANDS@\n" "${manual}" page "${page}")
file(MAKE_DIRECTORY "${OUT}")
file(WRITE "${OUT}/sc-hsm.1" "${page}")
file(WRITE "${OUT}/sc-hsm.bash" "${completion}")
