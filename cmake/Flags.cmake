# SPDX-License-Identifier: Apache-2.0
# One interface target, sc_hsm_flags, carries what every target of the project is compiled with.
add_library(sc_hsm_flags INTERFACE)
target_compile_definitions(sc_hsm_flags INTERFACE
  _GNU_SOURCE
  OPENSSL_API_COMPAT=30000 OPENSSL_NO_DEPRECATED
  SC_HSM_VERSION="${PROJECT_VERSION}")
target_compile_options(sc_hsm_flags INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes
  -Wpointer-arith -Wformat=2 -fstack-protector-strong
  # OpenSSL's error lines name our source files: the same everywhere, not the builder's folders.
  -fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=)
if(SC_HSM_WERROR)
  target_compile_options(sc_hsm_flags INTERFACE -Werror)
endif()
if(SC_HSM_SANITIZE)
  target_compile_options(sc_hsm_flags INTERFACE
    -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(sc_hsm_flags INTERFACE -fsanitize=address,undefined)
elseif(CMAKE_BUILD_TYPE MATCHES "Rel")
  target_compile_definitions(sc_hsm_flags INTERFACE _FORTIFY_SOURCE=2)
endif()
