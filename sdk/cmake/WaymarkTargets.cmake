# How every Waymark target is compiled, and how a missing dependency is reported.
include_guard()
include(GNUInstallDirs)
set(waymark_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/waymark)

# The name of the Debian package stands in the message, so that the next command is obvious.
macro(waymark_require_package name version debian)
  find_package(${name} ${version} QUIET)
  if(NOT ${name}_FOUND)
    string(STRIP "${name} ${version}" wanted)
    message(FATAL_ERROR "waymark needs ${wanted}, which was not found. "
                        "On Debian or Ubuntu: apt-get install ${debian}")
  endif()
endmacro()

function(waymark_compile_options target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES
    CXX_EXTENSIONS OFF C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON POSITION_INDEPENDENT_CODE ON)
  # A fused multiply-add rounds once where the source says twice: results would depend on the compiler.
  target_compile_options(${target} PRIVATE -ffp-contract=off)
  if(WAYMARK_DEVELOPER)
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wconversion -Wshadow -Werror)
  endif()
  if(WAYMARK_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${WAYMARK_SANITIZE}
                           -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(${target} PUBLIC -fsanitize=${WAYMARK_SANITIZE})
  endif()
  # Private headers are named from the root ("filters/local_frame.h"), public ones as "waymark/x.h".
  target_include_directories(${target} PRIVATE ${waymark_SOURCE_DIR})
endfunction()

# waymark_library(filters SOURCES ... [EXPORT SET]) -> target waymark_filters, alias waymark::filters.
function(waymark_library name)
  cmake_parse_arguments(arg "" "EXPORT" "SOURCES" ${ARGN})
  if(NOT arg_EXPORT)
    set(arg_EXPORT waymarkTargets)
  endif()
  add_library(waymark_${name} STATIC ${arg_SOURCES})
  add_library(waymark::${name} ALIAS waymark_${name})
  set_target_properties(waymark_${name} PROPERTIES EXPORT_NAME ${name})
  waymark_compile_options(waymark_${name})
  target_include_directories(waymark_${name} PUBLIC
    $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  install(TARGETS waymark_${name} EXPORT ${arg_EXPORT} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/include)
    install(DIRECTORY include/waymark DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  endif()
endfunction()
