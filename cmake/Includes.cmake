# SPDX-License-Identifier: Apache-2.0
# Fails where a file in ROOM includes another one by a way out of a folder; see Room.cmake.
cmake_minimum_required(VERSION 3.18)
file(GLOB_RECURSE files "${ROOM}/*.[ch]")
foreach(file IN LISTS files)
  file(STRINGS "${file}" ways REGEX "^[ \t]*#[ \t]*include.*\\.\\./")
  if(ways)
    message(FATAL_ERROR "${file}: include another room's header as \"ROOM/header.h\": ${ways}")
  endif()
endforeach()
