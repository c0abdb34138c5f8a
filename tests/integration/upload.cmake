# Store, uploader and transport against the collector as a process of its own.
if(WAYMARK_BUILD_TOOL AND WAYMARK_PLATFORM_LINUX)
  add_executable(integration_upload upload_test.cc)
  waymark_compile_options(integration_upload)
  target_include_directories(integration_upload PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_compile_definitions(integration_upload PRIVATE
    WAYMARK_REPLAY_TOOL="$<TARGET_FILE:replay_tool>")
  target_link_libraries(integration_upload PRIVATE waymark_replay GTest::gtest_main)
  add_dependencies(integration_upload replay_tool)
  gtest_discover_tests(integration_upload DISCOVERY_TIMEOUT 60
    PROPERTIES LABELS integration TIMEOUT 180)
endif()
