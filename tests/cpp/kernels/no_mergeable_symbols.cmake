# cmake -DNM=... -DOBJECTS=... -P: fails when an object defines a weak or unique symbol.
foreach(object IN LISTS OBJECTS)
  execute_process(COMMAND ${NM} --defined-only ${object}
    OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
  if(NOT symbols MATCHES " [dDrR] [^\n]*table")
    message(FATAL_ERROR "${object} does not define its kernel table: is this the right file?")
  endif()
  if(symbols MATCHES "\n[0-9a-f]+ ([WwVvu]) ([^\n]*)")
    message(FATAL_ERROR "${object} defines ${CMAKE_MATCH_2} as a mergeable symbol")
  endif()
endforeach()
