package dev.twinhost.rehearsal.machines;

/**
 * A machine that has been launched.
 *
 * @param name what the rehearsal calls it: 1, 2, … for the hosts in order of launch, or witness
 * @param group logical id of its auto scaling group
 */
public record Machine(String name, String instanceId, String group, String address, String subnet, String zone) {
    public String hostname() {
        return "ip-" + address.replace('.', '-');
    }

    /** For a person who reads of it. */
    public String described() {
        return (name.matches("\\d+") ? "host " : "") + name + " (" + instanceId + ", " + address + ")";
    }
}
