# Brings the pinned hls.js into NPM_FOLDER, unless it is there already (then nothing asks the network), and writes the
# file the plugin embeds to OUTPUT.
#   cmake -D NPM=... -D SOURCE=<folder of package.json> -D NPM_FOLDER=... -D OUTPUT=... -P fetch.cmake
file(READ "${SOURCE}/package.json" manifest)
string(JSON wanted GET "${manifest}" dependencies hls.js)
set(package "${NPM_FOLDER}/node_modules/hls.js")
set(present "")
if(EXISTS "${package}/package.json" AND EXISTS "${package}/dist/hls.min.js")
    file(READ "${package}/package.json" installed)
    string(JSON present GET "${installed}" version)
endif()

if(NOT present STREQUAL wanted)
    file(MAKE_DIRECTORY "${NPM_FOLDER}")
    file(COPY "${SOURCE}/package.json" "${SOURCE}/package-lock.json" DESTINATION "${NPM_FOLDER}")
    execute_process(COMMAND "${NPM}" ci --ignore-scripts --no-audit --no-fund --loglevel=error
        WORKING_DIRECTORY "${NPM_FOLDER}" RESULT_VARIABLE failed OUTPUT_QUIET)
    if(failed)
        message(FATAL_ERROR "npm ci could not bring hls.js ${wanted} into ${NPM_FOLDER} (see above); "
            "with a network and a registry that npm is configured for, build again")
    endif()
endif()

# Without the reference to a source map, which the server does not have: developer tools would ask for it.
file(READ "${package}/dist/hls.min.js" script)
string(REGEX REPLACE "\n?//# sourceMappingURL=[^\n]*" "" script "${script}")
file(WRITE "${OUTPUT}" "${script}")
