# SPDX-License-Identifier: Apache-2.0
# Where the module goes: SC_HSM_MODULES, below the prefix where that is possible. OpenSSL finds it by
# its name in MODULESDIR alone, so that is the place unless the prefix is one where nothing of
# OpenSSL's is (/opt/x); the default, /usr/local, is for what the system's OpenSSL shall find.
set(SC_HSM_MODULESDIR "" CACHE STRING
  "Folder of the module; if empty OpenSSL's MODULESDIR, or below a prefix that is not the system's")

execute_process(COMMAND "${PKG_CONFIG_EXECUTABLE}" --variable=modulesdir libcrypto
  OUTPUT_VARIABLE modules OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
string(FIND "${modules}/" "${CMAKE_INSTALL_PREFIX}/" at)
if(SC_HSM_MODULESDIR)
  set(SC_HSM_MODULES "${SC_HSM_MODULESDIR}")
elseif(modules AND (at EQUAL 0 OR CMAKE_INSTALL_PREFIX STREQUAL "/usr/local"))
  set(SC_HSM_MODULES "${modules}")
else()
  set(SC_HSM_MODULES "${CMAKE_INSTALL_LIBDIR}/ossl-modules")
endif()
# What is named from the prefix on follows another one that is told when installing.
string(FIND "${SC_HSM_MODULES}/" "${CMAKE_INSTALL_PREFIX}/" at)
if(at EQUAL 0)
  file(RELATIVE_PATH SC_HSM_MODULES "${CMAKE_INSTALL_PREFIX}" "${SC_HSM_MODULES}")
endif()
if(SC_HSM_PROVIDER AND IS_ABSOLUTE "${SC_HSM_MODULES}")
  install(CODE "
    if(NOT CMAKE_INSTALL_PREFIX STREQUAL \"${CMAKE_INSTALL_PREFIX}\")
      message(FATAL_ERROR \"The module would go to ${SC_HSM_MODULES} all the same: say the prefix when \"
        \"configuring, with -DCMAKE_INSTALL_PREFIX=\${CMAKE_INSTALL_PREFIX}\")
    endif()" COMPONENT provider)
endif()

add_custom_target(uninstall
  COMMAND "${CMAKE_COMMAND}" -DBUILD=${PROJECT_BINARY_DIR}
          -P "${PROJECT_SOURCE_DIR}/cmake/Uninstall.cmake"
  COMMENT "Removing what the last installation from here put in place" VERBATIM)
