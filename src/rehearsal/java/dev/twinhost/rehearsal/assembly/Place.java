package dev.twinhost.rehearsal.assembly;

import java.util.List;

/**
 * Where the rehearsal claims to be: what AWS would put in for the pseudo parameters and for {@code Fn::GetAZs}.
 *
 * @param deploy the deploy that has made the handle of the wait condition that is in the template
 */
public record Place(String stackName, String region, String account, List<String> zones, String deploy) {
    /** Where machines reach the stand-in for AWS. */
    public static final String API = "169.254.169.252";

    static Place of(String stackName, String deploy) {
        String region = "eu-central-1";
        return new Place(stackName, region, "123456789012", List.of(region + "a", region + "b", region + "c"), deploy);
    }

    public String stackArn() {
        return arn("cloudformation", "stack/" + stackName + "/" + PhysicalId.uuid(stackName));
    }

    public String arn(String service, String what) {
        return "arn:aws:" + service + ":" + region + ":" + account + ":" + what;
    }
}
