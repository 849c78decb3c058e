# The object of status.jq as one screen of text.
def pad(n): tostring | . + (" " * ([n - length, 1] | max));
"site         \(.site)\(if .maintenance then "  maintenance is on: visitors get its page, with status 503" else "" end)",
"machine      \(.machine.instance), \(.machine.role), \(.machine.address), Swarm \(.machine.swarm), release \(.machine.release[0:12]), disk \(.machine.diskPercent) % full",
"record       \(if .record then "generation \(.record.generation), cluster \(.record.cluster), converged \(.record.converged[0:12] | if . == "" then "nothing yet" else . end), read \(.record.readSecondsAgo) s ago" else "never read" end)",
(if .machine.role == "witness" then empty else "certificate  \(if .certificate then "\(.certificate.names | join(", ")); \(.certificate.daysLeft) days left; \(if .certificate.placeholder then "placeholder" else "issued by \(.certificate.issuer)" end)\(if .certificate.served then "" else " (not served)" end)" else "none" end)" end),
"",
("NODE" | pad(28)) + ("INSTANCE" | pad(22)) + ("ROLE" | pad(9)) + ("STATE" | pad(9)) + ("AVAILABLE" | pad(11)) + "MANAGER",
# EC2's names go on with the region's domain
(.nodes[]? | (.name | split(".")[0] | pad(28)) + (.instance | pad(22)) + (.role | pad(9)) + (.state | pad(9)) + (.availability | pad(11)) + .manager),
"",
("SERVICE" | pad(28)) + ("RUNNING" | pad(22)) + ("UPDATE" | pad(20)) + "ON",
(.services[]? | (.name | pad(28)) + ("\(.running) of \(.wanted)" | pad(22)) + (.update | pad(20)) + (.nodes | map(split(".")[0]) | join(", "))),
"",
(if .application and .application.running != [] then ("APPLICATION" | pad(28)) + "IMAGE",
  (.application.running[] | (.node | split(".")[0] | pad(28)) + .version),
  "" else empty end),
("TARGET GROUP" | pad(28)) + ("INSTANCE" | pad(22)) + "STATE",
(.targets[] | (.group | pad(28)) + (.instance | pad(22)) + .state),
"",
(if .healed == "" then empty else "last heal    \(.healed)", "" end),
(if .notes == [] then empty else (.notes[] | "note         \(.)"), "" end),
(if .wrong == [] then "all is well" else "wrong:", (.wrong[] | "  \(.)") end)
