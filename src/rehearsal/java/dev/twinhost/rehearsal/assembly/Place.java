package dev.twinhost.rehearsal.assembly;

import java.util.List;

/** Where the rehearsal claims to be: what AWS would put in for the pseudo parameters and for {@code Fn::GetAZs}. */
public record Place(String stackName, String region, String account, List<String> zones) {
    static Place of(String stackName) {
        String region = "eu-central-1";
        return new Place(stackName, region, "123456789012", List.of(region + "a", region + "b", region + "c"));
    }

    public String stackArn() {
        return arn("cloudformation", "stack/" + stackName + "/" + PhysicalId.uuid(stackName));
    }

    String arn(String service, String what) {
        return "arn:aws:" + service + ":" + region + ":" + account + ":" + what;
    }
}
