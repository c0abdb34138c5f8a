# The ablations of the filters: `ablation` and `track_ablation` print the tables of
# filters/README.md; with --check they hold them against issue 3. Included from tests/.
function(waymark_ablation name)
  list(TRANSFORM ARGN PREPEND ${CMAKE_CURRENT_LIST_DIR}/ OUTPUT_VARIABLE sources)
  add_executable(${name} ${sources})
  waymark_compile_options(${name})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(${name} PRIVATE waymark_filters)
  target_compile_definitions(${name} PRIVATE WAYMARK_SHARED_DATA="${WAYMARK_SHARED_DATA}")
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/bench)
endfunction()

waymark_ablation(ablation ablation.cc ablation_sets.cc judgement.cc trace_corpus.cc)
waymark_ablation(track_ablation track_ablation.cc track_run.cc track_scenes.cc track_odometer.cc
  track_stays.cc track_simplify.cc track_folds.cc trace_corpus.cc)
foreach(name ablation track_ablation)
  add_test(NAME ${name}_check COMMAND ${name} --check)
  set_tests_properties(${name}_check PROPERTIES LABELS property SKIP_RETURN_CODE 77 TIMEOUT 300)
endforeach()
