package dev.twinhost.rehearsal.aws;

import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.machines.Machines;
import dev.twinhost.rehearsal.machines.Signal;
import dev.twinhost.rehearsal.site.Site;
import java.util.Map;

/** CloudFormation: a machine says how its start went. Only the first word counts, as nobody waits for a second one. */
final class SignalResource implements Action {
    private final Site site;
    private final Machines machines;

    SignalResource(Site site, Machines machines) {
        this.site = site;
        this.machines = machines;
    }

    @Override
    public Answer perform(Machine caller, Map<String, String> parameters) {
        String stack = parameters.getOrDefault("StackName", "");
        if (!stack.equals(site.place().stackName())
                && !stack.equals(site.place().stackArn())) {
            throw invalid("Stack " + stack + " does not exist");
        }
        String resource = parameters.getOrDefault("LogicalResourceId", "");
        if (site.machineGroups().stream().noneMatch(group -> group.id().equals(resource))) {
            throw invalid("Resource " + resource + " does not exist for stack " + stack);
        }
        if (!resource.equals(caller.group()) || !caller.instanceId().equals(parameters.get("UniqueId"))) {
            throw invalid("The rehearsal cannot play a signal of one machine for another: "
                    + caller.instanceId() + " of " + caller.group() + " signalled as " + parameters.get("UniqueId")
                    + " of " + resource);
        }
        if (machines.signal(caller).isPresent()) {
            throw invalid("Stack:" + site.place().stackArn() + " is in CREATE_COMPLETE state and can not be signaled");
        }
        machines.signal(caller, status(parameters.getOrDefault("Status", "")));
        return Xml.answer(
                200,
                "<SignalResourceResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\">"
                        + "<ResponseMetadata><RequestId>rehearsal</RequestId></ResponseMetadata>"
                        + "</SignalResourceResponse>");
    }

    private static Signal status(String status) {
        try {
            return Signal.valueOf(status);
        } catch (IllegalArgumentException e) {
            throw invalid("Value '" + status + "' at 'status' failed to satisfy constraint: [FAILURE, SUCCESS]");
        }
    }

    private static AwsError invalid(String message) {
        return new AwsError(400, "ValidationError", message);
    }
}
