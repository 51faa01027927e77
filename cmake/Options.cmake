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

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

# writecanary_library(NAME folder-library deps...): every .cpp of the folder (and of profiles/) is its source,
# so that a new file needs no change here. main.cpp belongs to the program, not to the library.
function(writecanary_library NAME)
  file(GLOB_RECURSE SOURCES CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  list(FILTER SOURCES EXCLUDE REGEX "/main\\.cpp$")
  add_library(${NAME} STATIC ${SOURCES})
  target_include_directories(${NAME} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(${NAME} PUBLIC ${ARGN})
endfunction()

# The revision that --version and build_info print. Taken at configure time; "unknown" outside a checkout.
execute_process(COMMAND git -C ${PROJECT_SOURCE_DIR} rev-parse --short=12 HEAD
                OUTPUT_VARIABLE WRITECANARY_REVISION OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT WRITECANARY_REVISION)
  set(WRITECANARY_REVISION unknown)
endif()
