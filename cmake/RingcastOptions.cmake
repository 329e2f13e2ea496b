# Build options, language level and the one private interface target that carries warnings and sanitizers.
option(RINGCAST_BUILD_TESTS "Build the unit tests and test helpers." ${PROJECT_IS_TOP_LEVEL})
option(RINGCAST_BUILD_BENCHMARKS "Build the benchmarks of tests/bench." OFF)
option(RINGCAST_BUILD_FUZZERS "Build the fuzz harnesses of tests/fuzz (Clang only)." OFF)
set(RINGCAST_SANITIZE "" CACHE STRING "Sanitizers for everything, as -fsanitize takes them (address,undefined or thread).")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Build type." FORCE)
endif()

find_program(RINGCAST_CCACHE ccache)
if(RINGCAST_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${RINGCAST_CCACHE})
    set(CMAKE_C_COMPILER_LAUNCHER ${RINGCAST_CCACHE})
endif()

# The tree people and tests look for: build/bin, build/lib, build/lib/ringcast/*.so.
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib")
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib")
set(RINGCAST_PLUGIN_DIRECTORY "${PROJECT_BINARY_DIR}/lib/ringcast")
set(CMAKE_BUILD_RPATH_USE_ORIGIN ON)

add_library(ringcast_private INTERFACE)
target_compile_options(ringcast_private INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
                                                  $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor> -Werror)
if(RINGCAST_SANITIZE)
    target_compile_options(ringcast_private INTERFACE -fsanitize=${RINGCAST_SANITIZE} -fno-omit-frame-pointer
                                                      -fno-sanitize-recover=all)
    target_link_options(ringcast_private INTERFACE -fsanitize=${RINGCAST_SANITIZE})
    if(RINGCAST_SANITIZE STREQUAL "thread")
        # TSan does not model fences and GCC says so; docs/concurrency.md names the one function this concerns.
        target_compile_options(ringcast_private INTERFACE -Wno-tsan)
    endif()
endif()
