# SPDX-License-Identifier: Apache-2.0
# Fails where a file in ROOM includes another one by a way out of a folder, or by a way into a folder
# below, which is a room of its own; see Room.cmake.
cmake_minimum_required(VERSION 3.18)
set(way "\\.\\./")
file(GLOB below RELATIVE "${ROOM}" "${ROOM}/*")
foreach(name IN LISTS below)
  if(IS_DIRECTORY "${ROOM}/${name}")
    string(APPEND way "|[\"/]${name}/")
  endif()
endforeach()
file(GLOB_RECURSE files "${ROOM}/*.[ch]")
foreach(file IN LISTS files)
  file(STRINGS "${file}" ways REGEX "^[ \t]*#[ \t]*include.*(${way})")
  if(ways)
    message(FATAL_ERROR "${file}: include another room's header as \"ROOM/header.h\": ${ways}")
  endif()
endforeach()
