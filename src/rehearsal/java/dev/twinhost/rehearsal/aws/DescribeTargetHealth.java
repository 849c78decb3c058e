package dev.twinhost.rehearsal.aws;

import dev.twinhost.rehearsal.balancer.RunningBalancer;
import dev.twinhost.rehearsal.balancer.TargetHealth;
import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.site.Site;
import dev.twinhost.rehearsal.site.TargetGroup;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Elastic Load Balancing: what the balancer thinks of its targets, from the balancer itself. */
final class DescribeTargetHealth implements Action {
    private final Site site;
    private final RunningBalancer balancer;

    DescribeTargetHealth(Site site, RunningBalancer balancer) {
        this.site = site;
        this.balancer = balancer;
    }

    @Override
    public Answer perform(Machine caller, Map<String, String> parameters) {
        String arn = parameters.getOrDefault("TargetGroupArn", "");
        TargetGroup group = site.balancer().targetGroups().stream()
                .filter(candidate -> candidate.arn().equals(arn))
                .findFirst()
                .orElseThrow(() -> new AwsError(
                        400, "TargetGroupNotFound", "The template has no target group " + arn + " with a listener"));
        List<TargetHealth> all = balancer.health(group);
        List<String> asked = asked(parameters);
        StringBuilder members = new StringBuilder();
        for (TargetHealth target : asked.isEmpty() ? all : chosen(group, all, asked)) {
            members.append(member(group, target));
        }
        return Xml.answer(
                200,
                "<DescribeTargetHealthResponse xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/\">"
                        + "<DescribeTargetHealthResult><TargetHealthDescriptions>" + members
                        + "</TargetHealthDescriptions></DescribeTargetHealthResult><ResponseMetadata>"
                        + "<RequestId>rehearsal</RequestId></ResponseMetadata></DescribeTargetHealthResponse>");
    }

    private static List<String> asked(Map<String, String> parameters) {
        return parameters.keySet().stream()
                .filter(name -> name.matches("Targets\\.member\\.\\d+\\.Id"))
                .map(parameters::get)
                .toList();
    }

    private static List<TargetHealth> chosen(TargetGroup group, List<TargetHealth> all, List<String> ids) {
        List<TargetHealth> chosen = new ArrayList<>();
        for (String id : ids) {
            chosen.add(all.stream()
                    .filter(target -> target.instanceId().equals(id))
                    .findFirst()
                    .orElse(new TargetHealth(
                            id,
                            group.port(),
                            "unused",
                            "Target.NotRegistered",
                            "Target is not registered to the target group")));
        }
        return chosen;
    }

    private static String member(TargetGroup group, TargetHealth target) {
        String why = target.reason().isEmpty()
                ? ""
                : Xml.element("Reason", target.reason()) + Xml.element("Description", target.description());
        return "<member><HealthCheckPort>" + group.check().port() + "</HealthCheckPort><Target>"
                + Xml.element("Id", target.instanceId()) + Xml.element("Port", String.valueOf(target.port()))
                + "</Target><TargetHealth>" + Xml.element("State", target.state()) + why + "</TargetHealth></member>";
    }
}
