# SPDX-License-Identifier: Apache-2.0
# The build runs what it made: manual page and completion come from the programs' own tables. Another
# machine's programs are run by CMAKE_CROSSCOMPILING_EMULATOR, or those in SC_HSM_NATIVE are, a folder
# with programs of the same version for this machine. With neither, these files are left out.
set(SC_HSM_NATIVE "" CACHE PATH "When cross compiling: bin folder of a build for this machine")
if(CMAKE_CROSSCOMPILING AND NOT CMAKE_CROSSCOMPILING_EMULATOR AND NOT SC_HSM_NATIVE)
  message(STATUS "Completion and sc-hsm(1) are left out, because what is built does not run here: "
    "name an emulator, -DCMAKE_CROSSCOMPILING_EMULATOR=..., or programs that do, -DSC_HSM_NATIVE=DIR")
endif()

# schsm_own(VARIABLE TARGET NAME): the words that run TARGET, whose file is called NAME; empty: nothing
# does.
function(schsm_own variable target name)
  set(run "$<TARGET_FILE:${target}>")
  if(CMAKE_CROSSCOMPILING AND SC_HSM_NATIVE)
    set(run "${SC_HSM_NATIVE}/${name}")
  elseif(CMAKE_CROSSCOMPILING AND CMAKE_CROSSCOMPILING_EMULATOR)
    set(run ${CMAKE_CROSSCOMPILING_EMULATOR} "${run}")
  elseif(CMAKE_CROSSCOMPILING)
    set(run)
  endif()
  set(${variable} "${run}" PARENT_SCOPE)
endfunction()
