# The command line as a person or a script meets it: real processes of replay_tool.
if(TARGET replay_tool)
  file(GLOB cli_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/cli/*_test.cc)
  add_executable(integration_cli ${cli_sources})
  waymark_compile_options(integration_cli)
  target_include_directories(integration_cli PRIVATE ${CMAKE_CURRENT_LIST_DIR}/..)
  target_link_libraries(integration_cli PRIVATE
    nlohmann_json::nlohmann_json GTest::gmock GTest::gtest_main)
  target_compile_definitions(integration_cli PRIVATE
    WAYMARK_REPLAY_TOOL="$<TARGET_FILE:replay_tool>" WAYMARK_SHARED_DATA="${WAYMARK_SHARED_DATA}")
  if(WAYMARK_SANITIZE)
    target_compile_definitions(integration_cli PRIVATE WAYMARK_SANITIZED)
  endif()
  add_dependencies(integration_cli replay_tool)
  gtest_discover_tests(integration_cli DISCOVERY_TIMEOUT 60
    PROPERTIES LABELS integration TIMEOUT 120)
endif()
