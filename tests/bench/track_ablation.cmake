# `track_ablation` prints how motion, odometer, stops and simplifier do on recorded and generated
# sessions: the figures of the track in filters/README.md.
add_executable(track_ablation track_ablation.cc track_run.cc track_scenes.cc track_odometer.cc
  track_stays.cc track_simplify.cc track_folds.cc trace_corpus.cc)
waymark_compile_options(track_ablation)
target_include_directories(track_ablation PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/tests)
target_link_libraries(track_ablation PRIVATE waymark_filters)
target_compile_definitions(track_ablation PRIVATE WAYMARK_SHARED_DATA="${WAYMARK_SHARED_DATA}")
