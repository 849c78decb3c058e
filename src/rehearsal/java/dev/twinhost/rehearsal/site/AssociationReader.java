package dev.twinhost.rehearsal.site;

import com.fasterxml.jackson.databind.JsonNode;
import dev.twinhost.rehearsal.assembly.Intrinsics;
import dev.twinhost.rehearsal.assembly.Resource;
import dev.twinhost.rehearsal.assembly.Template;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads the association and its document. */
final class AssociationReader {
    private static final String DOCUMENT = "AWS::SSM::Document";
    private static final String LIMIT = "3600";

    private final Template template;
    private final Intrinsics intrinsics;

    AssociationReader(Template template, Intrinsics intrinsics) {
        this.template = template;
        this.intrinsics = intrinsics;
    }

    /** None where the site has none. */
    Optional<Association> association() {
        if (template.ofType("AWS::SSM::Association").isEmpty()) {
            return Optional.empty();
        }
        Resource resource = template.only("AWS::SSM::Association");
        Properties association = new Properties(intrinsics, resource);
        association.oneOf("MaxConcurrency", "", "1");
        association.oneOf("MaxErrors", "", "0");
        String name = association.text("Name");
        JsonNode values = intrinsics.resolve(resource, resource.properties().path("Parameters"));
        association.leave("AssociationName", "Parameters", "Targets", "WaitForSuccessTimeoutSeconds");
        association.end();
        Resource document = template.ofType(DOCUMENT).stream()
                .filter(candidate -> intrinsics.idOf(candidate).equals(name))
                .findFirst()
                .orElseThrow(() -> association.unplayable("Name = " + name + ", which is no document of the template"));
        return Optional.of(read(document, values));
    }

    private Association read(Resource resource, JsonNode values) {
        Properties document = new Properties(intrinsics, resource);
        document.oneOf("DocumentType", "", "Command");
        Properties content = document.object("Content");
        List<Properties> steps = content.objects("mainSteps");
        if (steps.size() != 1) {
            throw document.unplayable(steps.size() + " steps; it plays one");
        }
        Properties step = steps.get(0);
        step.oneOf("action", "", "aws:runShellScript");
        Properties inputs = step.object("inputs");
        String script = String.join("\n", inputs.texts("runCommand"));
        for (Map.Entry<String, JsonNode> value : values.properties()) {
            script = script.replace(
                    "{{ " + value.getKey() + " }}", value.getValue().path(0).asText());
        }
        if (script.contains("{{")) {
            throw document.unplayable("a parameter in " + script);
        }
        return new Association(script, Duration.ofSeconds(Integer.parseInt(inputs.text("timeoutSeconds", LIMIT))));
    }
}
