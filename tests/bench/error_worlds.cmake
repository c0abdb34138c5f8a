# `error_worlds` prints the table of the error worlds of filters/README.md.
add_executable(error_worlds error_worlds.cc receiver_errors.cc judgement.cc trace_corpus.cc)
waymark_compile_options(error_worlds)
target_include_directories(error_worlds PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/tests)
target_link_libraries(error_worlds PRIVATE waymark_filters)
target_compile_definitions(error_worlds PRIVATE WAYMARK_SHARED_DATA="${WAYMARK_SHARED_DATA}")
