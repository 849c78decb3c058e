package dev.twinhost.rehearsal.site;

import java.util.List;
import java.util.Optional;

/**
 * What a machine starts with.
 *
 * @param userData as cloud-init gets it, decoded
 * @param metadataHops how many hops an answer of the metadata service lives
 * @param publicAddress whether it has a public address, where it is not left to the subnet
 */
public record LaunchTemplate(
        String instanceType,
        String userData,
        List<String> securityGroups,
        int metadataHops,
        Optional<Boolean> publicAddress) {
    /** Whether a machine in this subnet reaches the internet. */
    public boolean online(Subnet subnet) {
        return subnet.translated() || subnet.routed() && publicAddress.orElse(subnet.publicAddresses());
    }
}
