package dev.twinhost;

import com.fasterxml.jackson.databind.JsonNode;
import dev.twinhost.rehearsal.assembly.Intrinsics;
import dev.twinhost.rehearsal.assembly.Place;
import dev.twinhost.rehearsal.assembly.Resource;
import dev.twinhost.rehearsal.assembly.Template;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A template as CloudFormation hands it to the services: what is joined, substituted or encoded there is one text here.
 * A function that the rehearsal cannot resolve is refused by name.
 */
final class DeployedTemplate {
    private static final Place PLACE = new Place(
            "Twinhost",
            "eu-central-1",
            "123456789012",
            List.of("eu-central-1a", "eu-central-1b", "eu-central-1c"),
            "0000");

    /** What CloudFormation itself reads of a resource, and what it does not look at. */
    private static final Set<String> NOT_SENT = Set.of("Type", "DependsOn", "Metadata", "Condition");

    /** Parts of the template that hold expressions: CloudFormation evaluates them, and no service gets them. */
    private static final Set<String> EVALUATED = Set.of("Rules", "Conditions");

    /** What they resolve to, AWS itself has named. */
    private static final Set<String> REFERENCES = Set.of("Ref", "Fn::GetAtt");

    private final JsonNode json;
    private final Template template;
    private final Intrinsics intrinsics;

    DeployedTemplate(JsonNode json) {
        this.json = json;
        this.template = new Template(json);
        this.intrinsics = new Intrinsics(template, PLACE);
    }

    /** Every text that the template's author has written, in the order in which they stand there. */
    List<TemplateText> texts() {
        List<TemplateText> texts = new ArrayList<>();
        for (Map.Entry<String, JsonNode> part : json.properties()) {
            if (part.getValue().isObject()) {
                part.getValue()
                        .fieldNames()
                        .forEachRemaining(id ->
                                texts.add(new TemplateText(TemplateText.TEMPLATE, id, List.of(part.getKey()), id)));
            }
            if (!part.getKey().equals("Resources") && !EVALUATED.contains(part.getKey())) {
                Resource where = new Resource(part.getKey(), TemplateText.TEMPLATE, json);
                walk(where, List.of(part.getKey()), part.getValue(), texts);
            }
        }
        for (Resource resource : template.resources()) {
            resource.body().properties().stream()
                    .filter(part -> !NOT_SENT.contains(part.getKey()))
                    .forEach(part -> walk(resource, List.of(part.getKey()), part.getValue(), texts));
        }
        return texts;
    }

    Collection<Resource> resources() {
        return template.resources();
    }

    List<Resource> ofType(String type) {
        return template.ofType(type);
    }

    /** The properties of a resource, every function in them resolved. */
    JsonNode properties(Resource resource) {
        return intrinsics.resolve(resource, resource.properties());
    }

    /** What a reference to a resource resolves to. */
    String id(Resource resource) {
        return intrinsics.idOf(resource);
    }

    JsonNode json() {
        return json;
    }

    private void walk(Resource where, List<String> path, JsonNode value, List<TemplateText> texts) {
        if (value.isTextual()) {
            texts.add(new TemplateText(where.type(), where.id(), path, value.asText()));
        } else if (value.isArray()) {
            value.forEach(element -> walk(where, longer(path, "*"), element, texts));
        } else if (isFunction(value)) {
            if (!REFERENCES.contains(value.fieldNames().next())) {
                walk(where, path, intrinsics.resolve(where, value), texts);
            }
        } else {
            value.properties().forEach(field -> walk(where, longer(path, field.getKey()), field.getValue(), texts));
        }
    }

    private static boolean isFunction(JsonNode value) {
        return value.size() == 1
                && value.isObject()
                && value.fieldNames().next().matches("Ref|Fn::.+");
    }

    private static List<String> longer(List<String> path, String step) {
        List<String> longer = new ArrayList<>(path);
        longer.add(step);
        return List.copyOf(longer);
    }
}
