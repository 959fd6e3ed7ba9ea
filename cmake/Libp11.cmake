# SPDX-License-Identifier: Apache-2.0
# libp11, for keys behind PKCS#11. Optional: on where it is found.
pkg_check_modules(LIBP11 QUIET libp11)
option(SC_HSM_PKCS11 "Build the second kind of device, a token behind PKCS#11 (needs libp11)"
  "${LIBP11_FOUND}")
if(SC_HSM_PKCS11)
  if(NOT LIBP11_FOUND)
    message(FATAL_ERROR "SC_HSM_PKCS11 is ON, and libp11 was not found: install libp11-dev")
  endif()
  # The name under which the loader knows it, such as libp11.so.3.
  find_library(sc_hsm_libp11 NAMES p11 HINTS ${LIBP11_LIBRARY_DIRS} REQUIRED)
  get_filename_component(sc_hsm_libp11_file "${sc_hsm_libp11}" REALPATH)
  get_filename_component(sc_hsm_libp11_file "${sc_hsm_libp11_file}" NAME)
  if(NOT sc_hsm_libp11_file MATCHES "^libp11\\.so\\.[0-9]+")
    message(FATAL_ERROR "${sc_hsm_libp11_file} is no name of a shared libp11")
  endif()
  set(SC_HSM_LIBP11 "${CMAKE_MATCH_0}")
endif()
