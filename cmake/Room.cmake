# SPDX-License-Identifier: Apache-2.0
# schsm_view(VARIABLE NAME): the folder on whose include path this one's headers are "NAME/header.h".
function(schsm_view variable name)
  set(view "${PROJECT_BINARY_DIR}/rooms/${name}")
  file(MAKE_DIRECTORY "${view}")
  file(CREATE_LINK "${CMAKE_CURRENT_SOURCE_DIR}" "${view}/${name}" SYMBOLIC)
  set(${variable} "${view}" PARENT_SCOPE)
endfunction()

# schsm_no_way_out(TARGET): TARGET is not built where a file in this folder, or in one below,
# includes one by "../" or by the name of a folder below.
function(schsm_no_way_out target)
  add_custom_command(TARGET ${target} PRE_LINK
    COMMAND "${CMAKE_COMMAND}" -DROOM=${CMAKE_CURRENT_SOURCE_DIR}
            -P "${PROJECT_SOURCE_DIR}/cmake/Includes.cmake"
    VERBATIM)
endfunction()

# schsm_room(NAME SOURCES file... [USES room...] [INSIDE room...])
#
# A room of the house: this folder as the static library schsm_NAME. Other rooms include its headers
# as "NAME/header.h", its own files as "header.h". USES: rooms whose headers its own headers may
# include, so whoever uses this room has those as well. INSIDE: rooms that only its .c files see.
# A room that is in neither list is not on the include path, so including it does not compile; the
# link below makes a folder whose only entry is this room. A way around it by "../" fails as well.
function(schsm_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;USES;INSIDE" ${ARGN})
  schsm_view(view ${name})
  add_library(schsm_${name} STATIC ${ROOM_SOURCES})
  target_include_directories(schsm_${name} PUBLIC "${view}")
  list(TRANSFORM ROOM_USES PREPEND schsm_)
  list(TRANSFORM ROOM_INSIDE PREPEND schsm_)
  target_link_libraries(schsm_${name}
    PUBLIC ${ROOM_USES} sc_hsm_flags PkgConfig::CRYPTO Threads::Threads
    PRIVATE ${ROOM_INSIDE})
  schsm_no_way_out(schsm_${name})
endfunction()
