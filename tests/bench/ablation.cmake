# The ablation of the filter: `ablation` prints the table of filters/README.md.
add_executable(ablation ablation.cc ablation_sets.cc judgement.cc trace_corpus.cc)
waymark_compile_options(ablation)
target_include_directories(ablation PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/tests)
target_link_libraries(ablation PRIVATE waymark_filters)
target_compile_definitions(ablation PRIVATE WAYMARK_SHARED_DATA="${WAYMARK_SHARED_DATA}")
add_test(NAME ablation_check COMMAND ablation --check)
set_tests_properties(ablation_check PROPERTIES LABELS property SKIP_RETURN_CODE 77 TIMEOUT 300)

# `error_worlds` prints the table of the error worlds there.
add_executable(error_worlds error_worlds.cc receiver_errors.cc judgement.cc trace_corpus.cc)
waymark_compile_options(error_worlds)
target_include_directories(error_worlds PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/tests)
target_link_libraries(error_worlds PRIVATE waymark_filters)
target_compile_definitions(error_worlds PRIVATE WAYMARK_SHARED_DATA="${WAYMARK_SHARED_DATA}")
