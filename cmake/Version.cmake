# SPDX-License-Identifier: Apache-2.0
# The version is project()'s in CMakeLists.txt. CHANGELOG.md tells its date, for the manual pages:
# SC_HSM_DATE.
set(changes "${PROJECT_SOURCE_DIR}/CHANGELOG.md")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${changes}")
file(STRINGS "${changes}" heading REGEX "^## " LIMIT_COUNT 1)
if(NOT heading MATCHES "^## ${PROJECT_VERSION} - ([0-9]+-[0-9]+-[0-9]+)$")
  message(FATAL_ERROR
    "CHANGELOG.md begins with '${heading}', not with '## ${PROJECT_VERSION} - YEAR-MONTH-DAY'")
endif()
set(SC_HSM_DATE "${CMAKE_MATCH_1}")

# schsm_page(FROM TO): a manual page with version and date.
function(schsm_page from to)
  set(VERSION "${PROJECT_VERSION}")
  set(DATE "${SC_HSM_DATE}")
  configure_file("${from}" "${to}" @ONLY)
endfunction()
