package dev.twinhost.rehearsal.assembly;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** A CloudFormation template: its resources in the order in which they stand there, and what depends on what. */
public final class Template {
    private final JsonNode root;
    private final Map<String, Resource> resources = new LinkedHashMap<>();

    public Template(JsonNode root) {
        this.root = root;
        root.path("Resources").properties().forEach(field -> {
            Resource resource = Resource.of(field.getKey(), field.getValue());
            if (resource.body().has("Condition")) {
                throw new Unplayable(resource, "a Condition");
            }
            resources.put(field.getKey(), resource);
        });
    }

    static Template read(Path file) throws IOException {
        return new Template(new ObjectMapper().readTree(file.toFile()));
    }

    public Collection<Resource> resources() {
        return resources.values();
    }

    public List<Resource> ofType(String type) {
        return resources.values().stream()
                .filter(resource -> resource.type().equals(type))
                .toList();
    }

    /** The one resource of a type that has to be there once. */
    public Resource only(String type) {
        List<Resource> found = ofType(type);
        if (found.isEmpty()) {
            throw new Unplayable("The template", "a site without an " + type);
        }
        if (found.size() > 1) {
            throw new Unplayable(found.get(1), "a second one of its type");
        }
        return found.get(0);
    }

    public Optional<Resource> resource(String id) {
        return Optional.ofNullable(resources.get(id));
    }

    Optional<JsonNode> parameter(String name) {
        return Optional.ofNullable(root.path("Parameters").get(name));
    }

    /** Everything that CloudFormation makes before this resource: what it names in DependsOn or refers to, and theirs. */
    public Set<String> madeBefore(Resource resource) {
        Set<String> found = new LinkedHashSet<>();
        Deque<Resource> open = new ArrayDeque<>(List.of(resource));
        while (!open.isEmpty()) {
            Resource next = open.pop();
            Set<String> direct = new LinkedHashSet<>(next.dependsOn());
            Intrinsics.collectReferences(next.body(), direct);
            direct.retainAll(resources.keySet());
            direct.stream().filter(found::add).map(resources::get).forEach(open::push);
        }
        found.remove(resource.id());
        return found;
    }
}
