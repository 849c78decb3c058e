package dev.twinhost.rehearsal.system;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A network namespace of the rehearsal, by its name. Nothing is ever configured outside of one. */
public record Namespace(String name) {
    Path handle() {
        return Path.of("/run/netns", name);
    }

    public boolean exists() {
        return Files.exists(handle());
    }

    /** Makes it with what every one needs: its loopback, and no opinion on where a packet should have come from. */
    public void make() {
        Command.of("ip", "netns", "add", name).run();
        ip("link set lo up");
        settings("conf.all.rp_filter=0", "conf.default.rp_filter=0");
    }

    public void delete() {
        Command.of("ip", "netns", "delete", name).run();
    }

    /** Runs lines of {@code ip}. */
    public void ip(String... lines) {
        Command.of("ip", "-n", name, "-batch", "-")
                .input(String.join("\n", lines) + "\n")
                .run();
    }

    /** Settings below net.ipv4. */
    public void settings(String... pairs) {
        List<String> words = new ArrayList<>(List.of("sysctl", "-q", "-w"));
        for (String pair : pairs) {
            words.add("net.ipv4." + pair);
        }
        inside(words).run();
    }

    public void firewall(String rules) {
        inside(List.of("nft", "-f", "-")).input(rules).run();
    }

    /** A set of the firewall, by family, table and name, in the JSON of nft. */
    public String firewallSet(String set) {
        return inside(List.of("nft", "-j", "list set " + set)).run();
    }

    private Command inside(List<String> words) {
        List<String> all = new ArrayList<>(List.of("nsenter", "--net=" + handle(), "--"));
        all.addAll(words);
        return Command.of(all);
    }
}
