package dev.twinhost.rehearsal.network;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.twinhost.rehearsal.system.Namespace;
import java.util.ArrayList;
import java.util.List;

/**
 * What does not pass between machines for a while, as elements of the firewall's sets. Named by links, so that a cut
 * outlives a machine's power cut; who takes a machine away mends it, since its link's name will be another one's.
 */
final class Cuts {
    private static final List<String> SETS = List.of(Firewall.CUT, Firewall.MUTE, Firewall.DEAF);

    private final Namespace vpc;

    Cuts(Namespace vpc) {
        this.vpc = vpc;
    }

    /** Nothing passes from the one to the other any more. */
    void cut(String from, String to) {
        change("add", Firewall.CUT, quoted(from) + " . " + quoted(to));
    }

    /** Nothing passes from this one to any other machine, also to those that come later. */
    void mute(String link) {
        change("add", Firewall.MUTE, quoted(link));
    }

    /** Nothing passes to this one from any other machine. */
    void deafen(String link) {
        change("add", Firewall.DEAF, quoted(link));
    }

    /** Whatever was cut of this link passes again. */
    void mend(String link) {
        for (String set : List.of(Firewall.MUTE, Firewall.DEAF)) {
            if (elements(set).contains(List.of(link))) {
                change("delete", set, quoted(link));
            }
        }
        for (List<String> pair : elements(Firewall.CUT)) {
            if (pair.contains(link)) {
                change("delete", Firewall.CUT, quoted(pair.get(0)) + " . " + quoted(pair.get(1)));
            }
        }
    }

    void mend() {
        SETS.forEach(set -> vpc.firewall("flush set ip vpc " + set + "\n"));
    }

    private void change(String verb, String set, String element) {
        vpc.firewall(verb + " element ip vpc " + set + " { " + element + " }\n");
    }

    private List<List<String>> elements(String set) {
        List<List<String>> found = new ArrayList<>();
        try {
            for (JsonNode object : new ObjectMapper()
                    .readTree(vpc.firewallSet("ip vpc " + set))
                    .path("nftables")) {
                for (JsonNode element : object.path("set").path("elem")) {
                    List<String> links = new ArrayList<>();
                    element.path("concat").forEach(link -> links.add(link.asText()));
                    found.add(links.isEmpty() ? List.of(element.asText()) : links);
                }
            }
            return found;
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("nft answers what is no JSON", e);
        }
    }

    private static String quoted(String link) {
        return "\"" + link + "\"";
    }
}
