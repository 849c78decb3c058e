package dev.twinhost.rehearsal.assembly;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Resolves the intrinsic functions of a template as CloudFormation would at deployment. What resources are called and
 * which attributes they have comes from {@link PhysicalValues}. A function that is not here is refused by name.
 */
public final class Intrinsics {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final Pattern PLACEHOLDER = Pattern.compile("\\$\\{(!?)([^}]*)}");
    private static final String AMI_PARAMETER = "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>";

    private final Template template;
    private final Place place;
    private final PhysicalValues values;

    public Intrinsics(Template template, Place place) {
        this.template = template;
        this.place = place;
        this.values = new PhysicalValues(place, this);
    }

    /** The value with every function in it resolved; a property that resolves to AWS::NoValue is left out. */
    public JsonNode resolve(Resource where, JsonNode value) {
        if (value.isArray()) {
            ArrayNode list = JSON.arrayNode();
            value.forEach(element -> addUnlessMissing(list, resolve(where, element)));
            return list;
        }
        if (!value.isObject()) {
            return value;
        }
        if (value.size() == 1) {
            String name = value.fieldNames().next();
            if (name.equals("Ref") || name.startsWith("Fn::") || name.equals("Condition")) {
                return call(where, name, value.get(name));
            }
        }
        ObjectNode object = JSON.objectNode();
        value.properties().forEach(field -> {
            JsonNode resolved = resolve(where, field.getValue());
            if (!resolved.isMissingNode()) {
                object.set(field.getKey(), resolved);
            }
        });
        return object;
    }

    /** What Ref answers for a resource. */
    public String idOf(Resource resource) {
        return values.reference(resource);
    }

    /** What Fn::GetAtt answers for a resource. */
    public String attributeOf(Resource resource, String attribute) {
        return values.attribute(resource, attribute);
    }

    static void collectReferences(JsonNode node, Set<String> ids) {
        if (node.has("Ref")) {
            ids.add(node.get("Ref").asText());
        }
        if (node.has("Fn::GetAtt")) {
            JsonNode target = node.get("Fn::GetAtt");
            ids.add(target.isArray() ? target.path(0).asText() : target.asText().split("\\.", 2)[0]);
        }
        if (node.has("Fn::Sub")) {
            JsonNode text = node.get("Fn::Sub");
            Matcher matcher = PLACEHOLDER.matcher(text.isArray() ? text.path(0).asText() : text.asText());
            while (matcher.find()) {
                ids.add(matcher.group(2).split("\\.", 2)[0]);
            }
        }
        node.forEach(child -> collectReferences(child, ids));
    }

    private JsonNode call(Resource where, String function, JsonNode argument) {
        return switch (function) {
            case "Ref" -> reference(where, argument.asText());
            case "Fn::GetAtt" -> attribute(where, argument);
            case "Fn::Join" -> join(where, argument);
            case "Fn::Sub" -> substitute(where, argument);
            case "Fn::Select" -> select(where, argument);
            case "Fn::GetAZs" -> zones(where, argument);
            case "Fn::Split" -> split(where, argument);
            case "Fn::Base64" -> base64(where, argument);
            default -> throw new Unplayable(where, function);
        };
    }

    private JsonNode reference(Resource where, String name) {
        switch (name) {
            case "AWS::Region":
                return text(place.region());
            case "AWS::AccountId":
                return text(place.account());
            case "AWS::Partition":
                return text("aws");
            case "AWS::URLSuffix":
                return text("amazonaws.com");
            case "AWS::StackName":
                return text(place.stackName());
            case "AWS::StackId":
                return text(place.stackArn());
            case "AWS::NoValue":
                return MissingNode.getInstance();
            default:
                break;
        }
        if (template.parameter(name).isPresent()) {
            return parameter(where, name, template.parameter(name).get());
        }
        Resource target = template.resource(name)
                .orElseThrow(() -> new Unplayable(where, "Ref " + name + ", which is not there"));
        return text(values.reference(target));
    }

    private JsonNode parameter(Resource where, String name, JsonNode parameter) {
        String type = parameter.path("Type").asText();
        if (type.equals(AMI_PARAMETER)) {
            return text(PhysicalId.resource("ami", parameter.path("Default").asText()));
        }
        if (type.startsWith("AWS::") || !parameter.has("Default")) {
            throw new Unplayable(
                    where,
                    "Ref " + name + ", a parameter of type " + type
                            + (parameter.has("Default") ? "" : " without a default"));
        }
        return parameter.get("Default");
    }

    private JsonNode attribute(Resource where, JsonNode argument) {
        String[] parts = argument.isArray()
                ? new String[] {argument.path(0).asText(), argument.path(1).asText()}
                : argument.asText().split("\\.", 2);
        Resource target = template.resource(parts[0])
                .orElseThrow(() -> new Unplayable(where, "Fn::GetAtt of " + parts[0] + ", which is not there"));
        return text(values.attribute(target, parts[1]));
    }

    private JsonNode join(Resource where, JsonNode argument) {
        StringBuilder joined = new StringBuilder();
        String separator = argument.path(0).asText();
        String before = "";
        for (JsonNode part : resolve(where, argument.path(1))) {
            joined.append(before).append(scalar(where, "Fn::Join", part));
            before = separator;
        }
        return text(joined.toString());
    }

    private JsonNode substitute(Resource where, JsonNode argument) {
        String format = argument.isArray() ? argument.path(0).asText() : argument.asText();
        JsonNode own = argument.isArray() ? argument.path(1) : MissingNode.getInstance();
        return text(PLACEHOLDER.matcher(format).replaceAll(match -> {
            String name = match.group(2);
            if (!match.group(1).isEmpty()) {
                return Matcher.quoteReplacement("${" + name + "}");
            }
            JsonNode value;
            if (own.has(name)) {
                value = resolve(where, own.get(name));
            } else if (name.contains(".")) {
                value = attribute(where, text(name));
            } else {
                value = reference(where, name);
            }
            return Matcher.quoteReplacement(scalar(where, "Fn::Sub", value));
        }));
    }

    private JsonNode select(Resource where, JsonNode argument) {
        int index = Integer.parseInt(scalar(where, "Fn::Select", resolve(where, argument.path(0))));
        JsonNode list = resolve(where, argument.path(1));
        if (index < 0 || index >= list.size()) {
            throw new Unplayable(where, "Fn::Select of element " + index + " from a list of " + list.size());
        }
        return list.get(index);
    }

    private JsonNode zones(Resource where, JsonNode argument) {
        String region = resolve(where, argument).asText();
        if (!region.isEmpty() && !region.equals(place.region())) {
            throw new Unplayable(where, "Fn::GetAZs of another region: " + region);
        }
        ArrayNode zones = JSON.arrayNode();
        place.zones().forEach(zones::add);
        return zones;
    }

    private JsonNode split(Resource where, JsonNode argument) {
        ArrayNode parts = JSON.arrayNode();
        String text = scalar(where, "Fn::Split", resolve(where, argument.path(1)));
        for (String part : text.split(Pattern.quote(argument.path(0).asText()), -1)) {
            parts.add(part);
        }
        return parts;
    }

    private JsonNode base64(Resource where, JsonNode argument) {
        String text = scalar(where, "Fn::Base64", resolve(where, argument));
        return text(Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8)));
    }

    private static String scalar(Resource where, String function, JsonNode value) {
        if (!value.isValueNode()) {
            throw new Unplayable(where, function + " of what is not a text: " + value);
        }
        return value.asText();
    }

    private static void addUnlessMissing(ArrayNode list, JsonNode value) {
        if (!value.isMissingNode()) {
            list.add(value);
        }
    }

    private static JsonNode text(String value) {
        return TextNode.valueOf(value);
    }
}
