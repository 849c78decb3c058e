package dev.twinhost.rehearsal.aws;

import com.sun.net.httpserver.HttpExchange;
import dev.twinhost.rehearsal.balancer.RunningBalancer;
import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.machines.Machines;
import dev.twinhost.rehearsal.registry.EcrLogin;
import dev.twinhost.rehearsal.release.Answers;
import dev.twinhost.rehearsal.release.Published;
import dev.twinhost.rehearsal.scaling.Groups;
import dev.twinhost.rehearsal.site.Site;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** The calls of AWS that machines make, as far as IAM allows them. Every other one is refused by name. */
final class Api {
    private final Map<String, Action> actions;
    private final SignalWaitCondition waitConditions;
    private final Access access;
    private final CallLog log;

    Api(
            Site site,
            Published published,
            Secrets secrets,
            EcrLogin ecr,
            Answers answers,
            Machines machines,
            Groups groups,
            RunningBalancer balancer,
            Access access,
            CallLog log) {
        this.access = access;
        this.log = log;
        waitConditions = new SignalWaitCondition(published, answers, log);
        actions = Map.ofEntries(
                Map.entry("ssm:GetParameter", new GetParameter(published)),
                Map.entry("s3:GetObject", new GetObject(published)),
                Map.entry("secretsmanager:DescribeSecret", new DescribeSecret(secrets)),
                Map.entry("secretsmanager:GetSecretValue", new GetSecretValue(secrets)),
                Map.entry("elasticloadbalancing:DescribeTargetHealth", new DescribeTargetHealth(site, balancer)),
                // as it is signed; IAM calls it cloudwatch:PutMetricData
                Map.entry("monitoring:PutMetricData", new PutMetricData()),
                Map.entry("cloudformation:SignalResource", new SignalResource(site, machines)),
                Map.entry(
                        "autoscaling:DescribeAutoScalingGroups", new DescribeAutoScalingGroups(site, machines, groups)),
                Map.entry("autoscaling:SetInstanceHealth", new SetInstanceHealth(site, machines, groups)),
                Map.entry("autoscaling:CompleteLifecycleAction", new CompleteLifecycleAction(site, groups)),
                Map.entry("ecr:GetAuthorizationToken", new GetAuthorizationToken(site.place(), ecr)));
    }

    Answer answer(Machine caller, HttpExchange exchange) throws IOException {
        if (SignalWaitCondition.is(exchange)) {
            return waitConditions.answer(caller, exchange);
        }
        String authorization = exchange.getRequestHeaders().getFirst("Authorization");
        Protocol protocol = Protocol.QUERY;
        String call = exchange.getRequestMethod() + " " + exchange.getRequestURI();
        Answer answer;
        try {
            String service = Credentials.service(caller, authorization);
            protocol = Protocol.of(exchange, service);
            Map<String, String> parameters = protocol.parameters(exchange);
            String name = service + ":" + protocol.action(exchange, parameters);
            call = name + " " + shown(parameters);
            Action action = actions.get(name);
            if (action == null) {
                throw new AwsError(400, "InvalidAction", "The rehearsal cannot play " + name);
            }
            AccessRequest request = access.request(name, parameters);
            call = name + " on " + request.resource() + " " + shown(parameters);
            Optional<String> refusal = access.refusal(caller, request);
            if (refusal.isPresent()) {
                throw protocol.accessDenied(refusal.get());
            }
            answer = action.perform(caller, parameters);
        } catch (AwsError e) {
            answer = protocol.error(e);
            call += " " + e.code() + ": " + e.getMessage();
        }
        log.add(caller.name(), call, answer.status());
        return answer;
    }

    private static String shown(Map<String, String> parameters) {
        return parameters.entrySet().stream()
                .filter(entry ->
                        !entry.getKey().equals("Action") && !entry.getKey().equals("Version"))
                .map(entry -> entry.getKey() + "=" + entry.getValue())
                .collect(Collectors.joining(" "));
    }
}
