# SPDX-License-Identifier: Apache-2.0
# One interface target, sc_hsm_flags, carries what every target of the project is compiled with.
include(CheckCCompilerFlag)
include(CheckCSourceCompiles)
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)

add_library(sc_hsm_flags INTERFACE)
target_compile_definitions(sc_hsm_flags INTERFACE
  _GNU_SOURCE
  # Files of every size and number on 32 bits as well. Not the same for times: libcrypto's functions
  # take the system's time_t.
  _FILE_OFFSET_BITS=64
  OPENSSL_API_COMPAT=30000 OPENSSL_NO_DEPRECATED
  SC_HSM_VERSION="${PROJECT_VERSION}")
target_compile_options(sc_hsm_flags INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes
  -Wpointer-arith -Wformat=2 -fstack-protector-strong
  # OpenSSL's error lines and debuggers' tables name our source files: the same wherever somebody
  # builds, so that two builds are the same bytes. Where both fit, the last one counts.
  -ffile-prefix-map=${PROJECT_SOURCE_DIR}/= -ffile-prefix-map=${PROJECT_BINARY_DIR}=build)
# Every symbol is found when a file is loaded, and the tables that say where can then no more be
# written: nothing redirects a call, and no late search saves registers, with a key in them, on the
# stack.
target_link_options(sc_hsm_flags INTERFACE -Wl,-z,relro,-z,now)
foreach(flag -fcf-protection -fstack-clash-protection)
  string(MAKE_C_IDENTIFIER "SC_HSM_HAVE${flag}" known)
  check_c_compiler_flag(${flag} ${known})
  if(${known})
    target_compile_options(sc_hsm_flags INTERFACE ${flag})
  endif()
endforeach()
if(SC_HSM_WERROR)
  target_compile_options(sc_hsm_flags INTERFACE -Werror)
endif()
if(SC_HSM_SANITIZE)
  target_compile_options(sc_hsm_flags INTERFACE
    -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(sc_hsm_flags INTERFACE -fsanitize=address,undefined)
elseif(CMAKE_BUILD_TYPE MATCHES "Rel")
  # It needs optimisation. Compiler and C library say by this macro which level they have.
  set(CMAKE_REQUIRED_FLAGS "-O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3")
  check_c_source_compiles("
    #include <stdio.h>
    #if !defined(__USE_FORTIFY_LEVEL) || __USE_FORTIFY_LEVEL < 3
    #error lower
    #endif
    int main(void) { return 0; }" SC_HSM_HAVE_FORTIFY_3)
  unset(CMAKE_REQUIRED_FLAGS)
  target_compile_options(sc_hsm_flags INTERFACE
    -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$<IF:$<BOOL:${SC_HSM_HAVE_FORTIFY_3}>,3,2>)
endif()
