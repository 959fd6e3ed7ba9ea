# SPDX-License-Identifier: Apache-2.0
# Removes the files that the last installation from the build folder BUILD put in place, of all
# components, and folders of our own that are empty then. DESTDIR in the environment counts as it
# does when installing.
cmake_minimum_required(VERSION 3.18)
file(GLOB manifests "${BUILD}/install_manifest*.txt")
if(NOT manifests)
  message(FATAL_ERROR "${BUILD} has no install_manifest.txt: nothing was installed from it")
endif()
foreach(manifest IN LISTS manifests)
  file(STRINGS "${manifest}" files)
  foreach(file IN LISTS files)
    set(file "$ENV{DESTDIR}${file}")
    if(EXISTS "${file}" OR IS_SYMLINK "${file}")
      message(STATUS "Removing ${file}")
      file(REMOVE "${file}")
    endif()
    get_filename_component(folder "${file}" DIRECTORY)
    file(GLOB left LIST_DIRECTORIES true "${folder}/*")
    if(NOT left AND folder MATCHES "/sc-hsm$")
      file(REMOVE_RECURSE "${folder}")
    endif()
  endforeach()
endforeach()
