package dev.twinhost.rehearsal.release;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.twinhost.rehearsal.assembly.Resource;
import dev.twinhost.rehearsal.assembly.Template;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What two templates of a site do not have in common. */
public final class Difference {
    /** Where a template names the release, and says for how long a machine may take: the association takes another document in place. */
    private static final Map<String, String> RELEASE = Map.of(
            "AWS::SSM::Parameter", "Value", "AWS::SSM::Association", "Parameters", "AWS::SSM::Document", "Content");

    /** Each release has others. */
    private static final Set<String> OF_RELEASE =
            Set.of("AWS::CloudFormation::WaitCondition", "AWS::CloudFormation::WaitConditionHandle");

    private static final List<String> WITHOUT_EFFECT = List.of("Metadata", "DependsOn");
    private static final String NO_RESOURCE = "AWS::CDK::Metadata";

    private Difference() {}

    /** The resources that are not the same but for the release that they name: type, id and what became of each. */
    public static List<String> beyondRelease(Template before, Template after) {
        List<String> found = new ArrayList<>();
        for (Resource resource : before.resources()) {
            if (OF_RELEASE.contains(resource.type())) {
                continue;
            }
            Optional<Resource> fresh = after.resource(resource.id());
            if (fresh.isEmpty()) {
                found.add(name(resource) + " is gone");
            } else if (!withoutRelease(resource).equals(withoutRelease(fresh.get()))) {
                found.add(name(resource) + " has changed");
            }
        }
        for (Resource resource : after.resources()) {
            if (before.resource(resource.id()).isEmpty() && !OF_RELEASE.contains(resource.type())) {
                found.add(name(resource) + " is new");
            }
        }
        found.removeIf(line -> line.startsWith(NO_RESOURCE));
        return found;
    }

    private static JsonNode withoutRelease(Resource resource) {
        ObjectNode body = resource.body().deepCopy();
        body.remove(WITHOUT_EFFECT);
        if (RELEASE.containsKey(resource.type())) {
            ((ObjectNode) body.path("Properties")).remove(RELEASE.get(resource.type()));
        }
        return body;
    }

    private static String name(Resource resource) {
        return resource.type() + " " + resource.id();
    }
}
