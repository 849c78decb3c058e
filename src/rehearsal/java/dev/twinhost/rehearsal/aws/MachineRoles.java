package dev.twinhost.rehearsal.aws;

import com.fasterxml.jackson.databind.JsonNode;
import dev.twinhost.rehearsal.assembly.Intrinsics;
import dev.twinhost.rehearsal.assembly.Place;
import dev.twinhost.rehearsal.assembly.Resource;
import dev.twinhost.rehearsal.assembly.Template;
import dev.twinhost.rehearsal.assembly.Unplayable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/** As whom machines call: the role in the instance profile of their launch template, with the policies that the template gives it. */
public final class MachineRoles {
    private final Template template;
    private final Place place;
    private final Intrinsics intrinsics;
    private final Map<String, Role> roles = new LinkedHashMap<>();

    private record Role(String name, List<JsonNode> policies) {}

    public MachineRoles(Template template, Place place) {
        this.template = template;
        this.place = place;
        intrinsics = new Intrinsics(template, place);
        template.ofType("AWS::AutoScaling::AutoScalingGroup").forEach(group -> roles.put(group.id(), role(group)));
    }

    /**
     * A machine of a group, as its requests are signed. One whose group is no longer in the template may nothing.
     *
     * @param group the group's logical id
     */
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-role-session
    public Identity identity(String group, String instance) {
        Role role = roles.getOrDefault(group, new Role("none", List.of()));
        return new Identity(
                "arn:aws:sts::" + place.account() + ":assumed-role/" + role.name() + "/" + instance,
                place.account(),
                role.policies());
    }

    private Role role(Resource group) {
        String id = properties(group).at("/LaunchTemplate/LaunchTemplateId").asText();
        Resource launch = only(
                group, "AWS::EC2::LaunchTemplate", one -> intrinsics.idOf(one).equals(id));
        String arn = properties(launch)
                .at("/LaunchTemplateData/IamInstanceProfile/Arn")
                .asText();
        Resource profile = only(
                launch,
                "AWS::IAM::InstanceProfile",
                one -> intrinsics.attributeOf(one, "Arn").equals(arn));
        String name = properties(profile).at("/Roles/0").asText();
        Resource role =
                only(profile, "AWS::IAM::Role", one -> intrinsics.idOf(one).equals(name));
        JsonNode written = properties(role);
        for (String property : List.of("ManagedPolicyArns", "PermissionsBoundary")) {
            if (written.has(property)) {
                throw new Unplayable(
                        role, "its " + property + "; it judges by the policies that the template writes out");
            }
        }
        List<JsonNode> policies = new ArrayList<>();
        written.path("Policies").forEach(policy -> policies.add(policy.path("PolicyDocument")));
        for (Resource policy : template.ofType("AWS::IAM::Policy")) {
            JsonNode attached = properties(policy);
            attached.path("Roles").forEach(to -> {
                if (to.asText().equals(name)) {
                    policies.add(attached.path("PolicyDocument"));
                }
            });
        }
        return new Role(name, policies);
    }

    private Resource only(Resource where, String type, Predicate<Resource> wanted) {
        return template.ofType(type).stream()
                .filter(wanted)
                .findFirst()
                .orElseThrow(() -> new Unplayable(where, "machines without an " + type + " of this template"));
    }

    private JsonNode properties(Resource resource) {
        return intrinsics.resolve(resource, resource.properties());
    }
}
