# Helpers every room uses, so that a room's CMakeLists.txt only lists its sources.
include(GoogleTest)

# ringcast_sink(NAME SOURCES... LIBRARIES...): a sink plugin, build/lib/ringcast/NAME.so, one exported symbol.
function(ringcast_sink name)
    cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
    add_library(ringcast_sink_${name} MODULE ${ARG_SOURCES})
    target_link_libraries(ringcast_sink_${name} PRIVATE ringcast_plugin_api ringcast_private ${ARG_LIBRARIES})
    set(version_script "${PROJECT_SOURCE_DIR}/cmake/sink-plugin.map")
    target_link_options(ringcast_sink_${name} PRIVATE "-Wl,--version-script=${version_script}")
    if(NOT RINGCAST_SANITIZE)
        target_link_options(ringcast_sink_${name} PRIVATE -Wl,-z,defs)
    endif()
    set_target_properties(ringcast_sink_${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name}
        LIBRARY_OUTPUT_DIRECTORY "${RINGCAST_PLUGIN_DIRECTORY}" LINK_DEPENDS "${version_script}")
endfunction()

# ringcast_unit_test(NAME SOURCES... LIBRARIES...): a GoogleTest binary whose cases CTest sees one by one.
function(ringcast_unit_test name)
    cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
    add_executable(${name} ${ARG_SOURCES})
    target_link_libraries(${name} PRIVATE ringcast_private GTest::gtest GTest::gtest_main ${ARG_LIBRARIES})
    # Compiled in half the time; what they test is in the libraries.
    target_compile_options(${name} PRIVATE $<$<CONFIG:RelWithDebInfo>:-O1>)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests")
    gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST PROPERTIES TIMEOUT 120)
endfunction()
