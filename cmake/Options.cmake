# What every target is compiled with. Presets choose; nothing here depends on the machine.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

option(WRITECANARY_WERROR "Treat warnings as errors" OFF)
set(WRITECANARY_SANITIZE "" CACHE STRING "Sanitizers to build with, for example address,undefined or thread")

add_compile_options(-Wall -Wextra -Wpedantic)
if(WRITECANARY_WERROR)
  add_compile_options(-Werror)
endif()
if(WRITECANARY_SANITIZE)
  add_compile_options(-fsanitize=${WRITECANARY_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${WRITECANARY_SANITIZE})
endif()

option(WRITECANARY_FUZZ "Build the libFuzzer targets; needs clang" OFF)
if(WRITECANARY_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# The headers that nearly every file reads are parsed once (cmake/precompiled.h): half of the time that a build takes.
option(WRITECANARY_PCH "Precompile common headers" ON)
function(writecanary_precompile NAME)
  if(NOT WRITECANARY_PCH)
    return()
  endif()
  if(NAME STREQUAL writecanary_core)
    target_precompile_headers(${NAME} PRIVATE ${PROJECT_SOURCE_DIR}/cmake/precompiled.h)
  else()
    target_precompile_headers(${NAME} REUSE_FROM writecanary_core)
  endif()
endfunction()

# The files of a folder as one translation unit: templates are instantiated once for all of them. It makes a whole build
# three times as fast and a change of one file slower, so the presets that ship have it and `dev` has not.
option(WRITECANARY_UNITY "Compile each folder as one unit" OFF)
function(writecanary_unite NAME)
  if(NOT WRITECANARY_UNITY)
    return()
  endif()
  foreach(SOURCE ${ARGN})
    # Not by where the tree lies: the units are linked in the order of their names, and the same sources give the same bytes.
    file(RELATIVE_PATH ROOM ${PROJECT_SOURCE_DIR} ${SOURCE})
    get_filename_component(ROOM ${ROOM} DIRECTORY)
    if(NOT ROOM MATCHES "^probe/profiles(/held)?$") # each has a describe() and a run() of its own
      string(MD5 GROUP ${ROOM})
      set_source_files_properties(${SOURCE} PROPERTIES UNITY_GROUP ${GROUP})
    endif()
  endforeach()
  set_target_properties(${NAME} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
endfunction()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  # With a precompiled header the cache must be told that its time stamp says nothing.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE_PROGRAM})
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
endif()

# writecanary_library(NAME folder-library deps...): every .cpp of the folder (and of profiles/) is its source,
# so that a new file needs no change here. main.cpp belongs to the program, not to the library.
function(writecanary_library NAME)
  file(GLOB_RECURSE SOURCES CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  list(FILTER SOURCES EXCLUDE REGEX "/main\\.cpp$")
  add_library(${NAME} STATIC ${SOURCES})
  target_include_directories(${NAME} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(${NAME} PUBLIC ${ARGN})
  writecanary_precompile(${NAME})
  writecanary_unite(${NAME} ${SOURCES})
endfunction()

# The revision that --version and build_info print. Taken at configure time; "unknown" outside a checkout.
execute_process(COMMAND git -C ${PROJECT_SOURCE_DIR} rev-parse --short=12 HEAD
                OUTPUT_VARIABLE WRITECANARY_REVISION OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT WRITECANARY_REVISION)
  set(WRITECANARY_REVISION unknown)
endif()
