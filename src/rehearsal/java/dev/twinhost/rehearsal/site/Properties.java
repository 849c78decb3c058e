package dev.twinhost.rehearsal.site;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.twinhost.rehearsal.assembly.Intrinsics;
import dev.twinhost.rehearsal.assembly.Resource;
import dev.twinhost.rehearsal.assembly.Unplayable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The properties of one resource, or of an object within it, taken one by one. What is neither taken nor knowingly left
 * by the time of {@link #end()} is refused by name: so the code that reads a resource is the list of what is played.
 */
final class Properties {
    private final Intrinsics intrinsics;
    private final Resource resource;
    private final String path;
    private final JsonNode node;
    private final Set<String> open = new LinkedHashSet<>();

    Properties(Intrinsics intrinsics, Resource resource) {
        this(intrinsics, resource, "", resource.properties());
    }

    /** What stands beside the properties of the resource: how CloudFormation updates it. */
    static Properties ofUpdatePolicy(Intrinsics intrinsics, Resource resource) {
        return new Properties(intrinsics, resource, "UpdatePolicy.", resource.updatePolicy());
    }

    private Properties(Intrinsics intrinsics, Resource resource, String path, JsonNode node) {
        this.intrinsics = intrinsics;
        this.resource = resource;
        this.path = path;
        this.node = node;
        node.fieldNames().forEachRemaining(open::add);
    }

    String text(String name) {
        return optional(name).orElseThrow(() -> unplayable("a missing " + path + name));
    }

    String text(String name, String absent) {
        return optional(name).orElse(absent);
    }

    Optional<String> optional(String name) {
        JsonNode value = take(name);
        if (value.isContainerNode()) {
            throw unplayable(path + name + " = " + value);
        }
        return value.isMissingNode() ? Optional.empty() : Optional.of(value.asText());
    }

    int number(String name, int absent) {
        Optional<String> text = optional(name);
        try {
            return text.map(Integer::parseInt).orElse(absent);
        } catch (NumberFormatException e) {
            throw unplayable(path + name + " = " + text.orElseThrow());
        }
    }

    boolean flag(String name, boolean absent) {
        return oneOf(name, absent ? "true" : "false", "true", "false").equals("true");
    }

    /** A property of which only some values are played. */
    String oneOf(String name, String absent, String... played) {
        String value = text(name, absent);
        if (!Arrays.asList(played).contains(value)) {
            throw unplayable(path + name + " = " + value + "; it plays "
                    + Arrays.stream(played).collect(Collectors.joining(" and ")));
        }
        return value;
    }

    List<String> texts(String name) {
        List<String> texts = new ArrayList<>();
        take(name).forEach(element -> texts.add(element.asText()));
        return texts;
    }

    List<Properties> objects(String name) {
        List<Properties> objects = new ArrayList<>();
        take(name)
                .forEach(element -> objects.add(
                        new Properties(intrinsics, resource, path + name + "[" + objects.size() + "].", element)));
        return objects;
    }

    Properties object(String name) {
        return new Properties(intrinsics, resource, path + name + ".", take(name));
    }

    /** Properties that change nothing of what the rehearsal shows. */
    void leave(String... names) {
        Arrays.asList(names).forEach(open::remove);
    }

    boolean has(String name) {
        return node.has(name);
    }

    void end() {
        if (!open.isEmpty()) {
            throw unplayable("the property " + path + String.join(", " + path, open));
        }
    }

    Unplayable unplayable(String what) {
        return new Unplayable(resource, what);
    }

    private JsonNode take(String name) {
        open.remove(name);
        return node.has(name) ? intrinsics.resolve(resource, node.get(name)) : MissingNode.getInstance();
    }
}
