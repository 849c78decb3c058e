# The cluster record as `record show` prints it; for `include`.

# whole: the record, where it is one: whatever else was read is an error, and no permission.
def whole:
  if type == "object" and (.generation | type) == "number" and ([.founder, .cluster, .release] | all(type == "string"))
    and (.managers | type) == "array"
    and all(.managers[]; ([.instance, .address] | all(type == "string")) and (.counter | type) == "number" and (.leader | type) == "boolean")
  then . else error("this is no cluster record") end;
