# What the balancer says of the hosts, as target_health prints it ($targets); for `include`.

# targets: one object for each target.
def targets: [$targets | split("\n")[] | select(. != "") | split(" ") | {group: .[0], instance: .[1], state: .[2]}];

# serves($instance): whether visitors may be sent there, for all that any target group says: healthy, or a state that does not rule it out.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html
def serves($instance): any(targets[]; .instance == $instance and (.state | IN("initial", "unhealthy", "unused", "draining") | not));

# healthy($instance): whether every target group does.
def healthy($instance): targets as $all | ([$all[].group] | unique) as $groups
  | ($groups | length) > 0 and all($groups[]; . as $group | any($all[]; .group == $group and .instance == $instance and .state == "healthy"));

# spare($instance; $others): whether it may go: it serves nobody, or another one is healthy. Where no target is known, nobody may.
def spare($instance; $others): targets != [] and ((serves($instance) | not) or any($others[]; . != $instance and healthy(.)));
