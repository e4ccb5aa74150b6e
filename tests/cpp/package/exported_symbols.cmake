# cmake -DNM=... -DLIBRARY=... -P: fails when the shared library shows more than its interface, or
# hides what exceptions and derived classes need.
execute_process(COMMAND ${NM} -DC --defined-only ${LIBRARY} OUTPUT_VARIABLE symbols
                                                            COMMAND_ERROR_IS_FATAL ANY)
string(REPLACE ";" "," symbols "${symbols}")
string(REGEX MATCHALL "[^\n]+" symbols "${symbols}")
set(known)
foreach(line IN LISTS symbols)
  string(REGEX REPLACE "^[0-9a-f]* +([A-Za-z]) " "" symbol "${line}")
  # What it is, up to its arguments: fastcaloq::Class::method, but nobody's private parts.
  if(NOT symbol MATCHES "^(typeinfo for |typeinfo name for |vtable for )?fastcaloq::"
     OR symbol MATCHES "^[^(]*::(detail|Implementation)(::|$)")
    message(SEND_ERROR "${LIBRARY} exports ${symbol}, which is no part of the interface")
  endif()
  list(APPEND known "${symbol}")
endforeach()
foreach(class Error InputError ModelError ServiceError CellMap Conditioner ParametrizationBase)
  foreach(part typeinfo vtable)
    if(NOT "${part} for fastcaloq::${class}" IN_LIST known)
      message(SEND_ERROR "${LIBRARY} does not export the ${part} of ${class}: exceptions would not be "
                         "caught and casts would fail across its boundary")
    endif()
  endforeach()
endforeach()
