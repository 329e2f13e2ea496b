# Outside libraries enter here, once, as imported targets. All come from Debian packages (tools/setup lists them).
find_package(Threads REQUIRED)
find_package(Boost 1.74 REQUIRED)                  # headers: Interprocess, Asio, Beast
find_package(PkgConfig REQUIRED)
pkg_check_modules(LIBAV REQUIRED IMPORTED_TARGET libavformat libavcodec libavutil libswscale libswresample)
pkg_check_modules(CAIRO REQUIRED IMPORTED_TARGET cairo)
find_package(CLI11 REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_library(LIBYUV_LIBRARY yuv REQUIRED)
find_path(LIBYUV_INCLUDE libyuv.h REQUIRED)
if(NOT TARGET libyuv::libyuv)
    add_library(libyuv::libyuv UNKNOWN IMPORTED)
    set_target_properties(libyuv::libyuv PROPERTIES IMPORTED_LOCATION "${LIBYUV_LIBRARY}"
        INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${LIBYUV_INCLUDE}")
endif()
if(RINGCAST_BUILD_TESTS)
    find_package(GTest REQUIRED)
endif()
