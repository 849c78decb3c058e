package dev.twinhost.rehearsal.aws;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.twinhost.Needs;
import dev.twinhost.rehearsal.SmallAssembly;
import dev.twinhost.rehearsal.assembly.Place;
import dev.twinhost.rehearsal.machines.Machines;
import dev.twinhost.rehearsal.machines.Signal;
import dev.twinhost.rehearsal.registry.EcrLogin;
import dev.twinhost.rehearsal.release.Answers;
import dev.twinhost.rehearsal.release.Published;
import dev.twinhost.rehearsal.scaling.Group;
import dev.twinhost.rehearsal.scaling.Groups;
import dev.twinhost.rehearsal.scaling.Instance;
import dev.twinhost.rehearsal.scaling.Lifecycle;
import dev.twinhost.rehearsal.site.Site;
import dev.twinhost.rehearsal.system.Folders;
import dev.twinhost.rehearsal.system.StateFolder;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Needs(Needs.TEST_MODULES)
class AwsStandInTest {
    private static final String INSTANCE = "i-00123456789abcdef";
    private static final String KEY = "ASIA00123456789ABCDE";

    private static final String ANSWER =
            "{\"Status\":\"SUCCESS\",\"Reason\":\"it serves\",\"UniqueId\":\"i-1\",\"Data\":\"\"}";

    private static final String USER = "User: arn:aws:sts::123456789012:assumed-role/Small-MachineRole-74C1707D7231/"
            + INSTANCE + " is not authorized to perform: ";

    private static final String GROUP =
            "arn:aws:autoscaling:eu-central-1:123456789012:autoScalingGroup:[0-9a-f-]+:autoScalingGroupName/";

    private static Iam iam;

    private final HttpClient client = HttpClient.newHttpClient();
    private SmallAssembly deployed;
    private StateFolder state;
    private Site site;
    private Groups groups;
    private HttpServer metadata;
    private HttpServer api;

    @BeforeAll
    static void startIam() {
        iam = Iam.start(Path.of("").toAbsolutePath());
    }

    @AfterAll
    static void endIam() {
        iam.close();
    }

    @BeforeEach
    void startWithOneMachineOnThisAddress(@TempDir Path folder) throws IOException {
        state = new StateFolder(folder);
        deployed = new SmallAssembly()
                .with(
                        "/Hosts/Properties/Tags",
                        "[{\"Key\": \"twinhost:stack\", \"Value\": \"Small\", \"PropagateAtLaunch\": true}]")
                .with("/Hosts/Properties/HealthCheckGracePeriod", "300")
                .waitingFor("1");
        deployed.write(Folders.make(state.assembly()));
        site = Site.read(state.assembly());
        Folders.make(state.machines().resolve("1"));
        Folders.write(state.machines().resolve("1/machine.json"), """
                {"name": "1", "instanceId": "%s", "group": "Hosts", "address": "127.0.0.1", "subnet": "s",
                 "zone": "eu-central-1a"}""".formatted(INSTANCE));
        Folders.write(state.groups().resolve("Hosts.json"), """
                {"smallest": 2, "largest": 3, "desired": 2, "warmup": 0, "suspended": [], "instances": [
                  {"id": "%s", "lifecycle": "IN_SERVICE", "healthy": true, "since": %d}]}""".formatted(INSTANCE, System.currentTimeMillis()));
        groups = new Groups(state);
        AwsStandIn standIn = new AwsStandIn(state, iam);
        metadata = standIn.serveMetadata(new InetSocketAddress("127.0.0.1", 0));
        api = standIn.serveApi(new InetSocketAddress("127.0.0.1", 0));
    }

    @AfterEach
    void stop() {
        metadata.stop(0);
        api.stop(0);
    }

    @Test
    void shouldTellNothingWithoutAToken() throws Exception {
        assertThat(send(metadata("/latest/meta-data/instance-id")).statusCode()).isEqualTo(401);
        assertThat(send(metadata("/latest/meta-data/instance-id").header("X-aws-ec2-metadata-token", "guessed"))
                        .statusCode())
                .isEqualTo(401);
    }

    @Test
    void shouldGiveATokenOnlyToWhoSaysForHowLong() throws Exception {
        assertThat(send(metadata("/latest/api/token").PUT(BodyPublishers.noBody()))
                        .statusCode())
                .isEqualTo(400);
        assertThat(send(metadata("/latest/api/token")
                                .PUT(BodyPublishers.noBody())
                                .header("X-aws-ec2-metadata-token-ttl-seconds", "21601"))
                        .statusCode())
                .isEqualTo(400);
    }

    @Test
    void shouldTellAMachineWhoItIs() throws Exception {
        assertThat(document("/latest/meta-data/instance-id")).isEqualTo(INSTANCE);
        assertThat(document("/latest/meta-data/local-ipv4")).isEqualTo("127.0.0.1");
        assertThat(document("/latest/meta-data/placement/availability-zone")).isEqualTo("eu-central-1a");
        assertThat(document("/latest/meta-data/autoscaling/target-lifecycle-state"))
                .isEqualTo("InService");
        assertThat(document("/latest/meta-data/iam/security-credentials/rehearsal"))
                .contains("\"AccessKeyId\": \"" + KEY + "\"");
    }

    @Test
    void shouldAnswerTheParameterOfTheTemplate() throws Exception {
        String name = site.parameters().keySet().iterator().next();
        HttpResponse<String> response = send(json("GetParameter", "{\"Name\": \"" + name + "\"}"));
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.body()).contains("\"Name\":\"" + name + "\"", "assets-eu-central-1");
        HttpResponse<String> other = send(json("GetParameter", "{\"Name\": \"/other\"}"));
        assertThat(other.statusCode()).isEqualTo(400);
        assertThat(other.body())
                .isEqualTo(
                        "{\"__type\":\"AccessDeniedException\",\"message\":\"" + USER + "ssm:GetParameter on resource:"
                                + " arn:aws:ssm:eu-central-1:123456789012:parameter/other because no identity-based policy allows"
                                + " the ssm:GetParameter action\"}");
    }

    @Test
    void shouldAnswerTheParameterAsTheLastReleaseHasSetIt() throws Exception {
        String name = site.parameters().keySet().iterator().next();
        Path release = Folders.make(state.root().resolve("release"));
        new SmallAssembly().with("/Release/Properties/Value", "\"fresh\"").write(release);
        new Published(state).add(release);
        assertThat(send(json("GetParameter", "{\"Name\": \"" + name + "\"}")).body())
                .contains("\"Value\":\"fresh\"");
    }

    @Test
    void shouldAnswerAnAssetWhereItWouldBePublished() throws Exception {
        HttpResponse<String> found = send(signed("s3", "/assets-123456789012-eu-central-1/site/release.zip"));
        assertThat(found.statusCode()).isEqualTo(200);
        assertThat(found.body()).contains("settings.env");
        HttpResponse<String> missing = send(signed("s3", "/assets-123456789012-eu-central-1/site/other.zip"));
        assertThat(missing.statusCode()).isEqualTo(404);
        assertThat(missing.body()).contains("<Code>NoSuchKey</Code>");
        HttpResponse<String> denied = send(signed("s3", "/other/site/release.zip"));
        assertThat(denied.statusCode()).isEqualTo(403);
        assertThat(denied.body())
                .contains("<Error><Code>AccessDenied</Code><Message>" + USER
                        + "s3:GetObject on resource: arn:aws:s3:::other/site/release.zip because no");
    }

    @Test
    void shouldRecordTheFirstSignalOfAMachineAndNoOther() throws Exception {
        HttpResponse<String> first = send(signal("Hosts", INSTANCE, "SUCCESS"));
        assertThat(first.statusCode()).isEqualTo(200);
        Machines machines = new Machines(state);
        assertThat(machines.signal(machines.named("1"))).contains(Signal.SUCCESS);
        HttpResponse<String> second = send(signal("Hosts", INSTANCE, "FAILURE"));
        assertThat(second.statusCode()).isEqualTo(400);
        assertThat(second.body()).contains("is in CREATE_COMPLETE state and can not be signaled");
        assertThat(machines.signal(machines.named("1"))).contains(Signal.SUCCESS);
    }

    @Test
    void shouldRefuseASignalOfOneMachineForAnother() throws Exception {
        assertThat(send(signal("Hosts", "i-0999", "SUCCESS")).body())
                .contains(
                        "<Code>ValidationError</Code>",
                        "The rehearsal cannot play a signal of one machine for another");
        assertThat(send(signal("Nobody", INSTANCE, "SUCCESS")).body())
                .contains("Resource Nobody does not exist for stack Small");
    }

    @Test
    void shouldDescribeTheGroupsWhoseTagsMatch() throws Exception {
        groups.change("Hosts", group -> group.suspending(List.of("HealthCheck")));
        String all = describe("");
        assertThat(all)
                .contains("<AutoScalingGroupName>" + hosts() + "</AutoScalingGroupName><MinSize>2</MinSize>"
                        + "<MaxSize>3</MaxSize><DesiredCapacity>2</DesiredCapacity>")
                .contains("<InstanceId>" + INSTANCE + "</InstanceId><InstanceType>t4g.small</InstanceType>"
                        + "<AvailabilityZone>eu-central-1a</AvailabilityZone>"
                        + "<LifecycleState>InService</LifecycleState><HealthStatus>Healthy</HealthStatus>")
                .contains("<SuspendedProcesses><member><ProcessName>HealthCheck</ProcessName></member></Suspended")
                .contains("<Key>twinhost:stack</Key><Value>Small</Value>");
        String filter = "&Filters.member.1.Name=tag:twinhost:stack&Filters.member.1.Values.member.1=";
        assertThat(describe(filter + "Small")).isEqualTo(all);
        assertThat(describe(filter + "Other")).contains("<AutoScalingGroups></AutoScalingGroups>");
        assertThat(describe("&AutoScalingGroupNames.member.1=other"))
                .contains("<AutoScalingGroups></AutoScalingGroups>");
        assertThat(describe("&Filters.member.1.Name=tag-key&Filters.member.1.Values.member.1=a"))
                .contains("The rehearsal cannot play the filter tag-key; it plays tag:KEY");
    }

    @Test
    void shouldCallAMachineUnhealthyOnlyAfterItsGracePeriodUnlessItIsSaidSo() throws Exception {
        assertThat(setHealth(INSTANCE, "Unhealthy", "").statusCode()).isEqualTo(200);
        assertThat(groups.get("Hosts").instance(INSTANCE).orElseThrow().healthy())
                .isTrue();
        assertThat(setHealth(INSTANCE, "Unhealthy", "&ShouldRespectGracePeriod=false")
                        .statusCode())
                .isEqualTo(200);
        assertThat(groups.get("Hosts").instance(INSTANCE).orElseThrow().healthy())
                .isFalse();
        assertThat(describe("")).contains("<HealthStatus>Unhealthy</HealthStatus>");
    }

    @Test
    void shouldRefuseTheHealthOfAMachineThatNoGroupHas() throws Exception {
        HttpResponse<String> answer = setHealth("i-0999", "Unhealthy", "");
        assertThat(answer.statusCode()).isEqualTo(403);
        assertThat(answer.body())
                .containsPattern("<Code>AccessDenied</Code><Message>" + USER
                        + "autoscaling:SetInstanceHealth on resource: " + GROUP + "unknown because no");
        assertThat(setHealth(INSTANCE, "Ill", "").body()).contains("Valid instance health states are");
    }

    @Test
    void shouldTellAMachineThatItIsToEndAsSoonAsItsGroupWantsIt() throws Exception {
        groups.change("Hosts", group -> group.ending(List.of(INSTANCE)));
        assertThat(document("/latest/meta-data/autoscaling/target-lifecycle-state"))
                .isEqualTo("Terminated");
        assertThat(describe("")).contains("<LifecycleState>Terminating</LifecycleState>");
    }

    @Test
    void shouldCompleteATerminationHookOnceAndOnlyWhileItIsWaitedFor() throws Exception {
        String none = "<Code>ValidationError</Code><Message>No active Lifecycle Action found with instance ID ";
        assertThat(complete(hosts(), "goodbye", INSTANCE).body()).contains(none + INSTANCE);
        moveTo(Lifecycle.TERMINATING);
        assertThat(complete(hosts(), "goodbye", INSTANCE).body()).contains(none + INSTANCE);
        moveTo(Lifecycle.TERMINATING_WAIT);
        assertThat(complete(hosts(), "hello", INSTANCE).body()).contains(none + INSTANCE);
        assertThat(complete(hosts(), "goodbye", "i-0999").body()).contains(none + "i-0999");
        assertThat(complete("other", "goodbye", INSTANCE).body())
                .containsPattern("autoscaling:CompleteLifecycleAction on resource: " + GROUP + "unknown because no");
        assertThat(complete(hosts(), "goodbye", INSTANCE).statusCode()).isEqualTo(200);
        assertThat(describe("")).contains("<LifecycleState>Terminating:Proceed</LifecycleState>");
        assertThat(complete(hosts(), "goodbye", INSTANCE).body()).contains(none + INSTANCE);
    }

    @Test
    void shouldTakeTheAnswerToTheDeployByItsUrlAlone() throws Exception {
        assertThat(put(answerUrl(), ANSWER).statusCode()).isEqualTo(200);
        assertThat(put(answerUrl(), ANSWER.replace("SUCCESS", "FAILURE")).statusCode())
                .isEqualTo(200);

        assertThat(new Answers(state).to(site.waitCondition().orElseThrow()))
                .containsExactly(
                        new dev.twinhost.rehearsal.release.Answer(true, "it serves", "i-1"),
                        new dev.twinhost.rehearsal.release.Answer(false, "it serves", "i-1"));
        assertThat(Folders.read(state.awsCalls()))
                .contains(" 1 cloudformation:wait condition Condition1 " + ANSWER + " 200\n")
                .doesNotContain("X-Amz-Signature");
    }

    @Test
    void shouldRefuseAnAnswerThatCloudFormationWouldNotSee() throws Exception {
        assertThat(put(answerUrl() + "0", ANSWER).body()).contains("No handle has this URL");
        assertThat(put(answerUrl().replace("Handle1", "Handle2"), ANSWER).body())
                .contains("No handle has this URL");
        assertThat(send(answer(answerUrl()).POST(BodyPublishers.ofString(ANSWER)))
                        .body())
                .contains("The URL is signed for PUT, got POST");
        assertThat(send(answer(answerUrl())
                                .header("Content-Type", "application/x-www-form-urlencoded")
                                .PUT(BodyPublishers.ofString(ANSWER)))
                        .body())
                .contains("The URL is signed without a Content-Type, got application/x-www-form-urlencoded");
        assertThat(put(answerUrl(), "{").body()).contains("The rehearsal cannot play an answer no JSON");
        assertThat(put(answerUrl(), ANSWER.replace("SUCCESS", "DONE")).body())
                .contains("The rehearsal cannot play an answer Status \"DONE\"");
        assertThat(put(answerUrl(), ANSWER.replace("Data", "Date")).body())
                .contains("The rehearsal cannot play an answer without a text as Data");
        assertThat(put(answerUrl(), ANSWER.replace("i-1", "")).body())
                .contains("The rehearsal cannot play an answer with an empty UniqueId");
        assertThat(new Answers(state).to(site.waitCondition().orElseThrow())).isEmpty();
    }

    @Test
    void shouldRefuseEveryOtherCallByName() throws Exception {
        assertThat(send(json("PutParameter", "{}")).body())
                .isEqualTo("{\"__type\":\"InvalidAction\",\"message\":\"The rehearsal cannot play ssm:PutParameter\"}");
        assertThat(send(form("elasticloadbalancing", "Action=DeleteTargetGroup"))
                        .body())
                .contains("The rehearsal cannot play elasticloadbalancing:DeleteTargetGroup");
        assertThat(send(signed("s3", "/bucket?list-type=2")).body())
                .contains("The rehearsal cannot play s3:GET /bucket?list-type=2");
    }

    @Test
    void shouldMakeUpASecretAndKeepItUntilItIsChanged() throws Exception {
        String arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop/db-AbCdEf";
        Secrets secrets = new Secrets(state);
        String first = secrets.version(arn);

        assertThat(send(secret("DescribeSecret", arn, first)).body())
                .contains("\"VersionIdsToStages\":{\"" + first + "\":[\"AWSCURRENT\"]}");
        assertThat(send(secret("GetSecretValue", arn, first)).body())
                .contains("\"SecretString\":\"" + secrets.value(arn) + "\"", first);
        secrets.change(arn, "changed");
        assertThat(secrets.version(arn)).isNotEqualTo(first);
        assertThat(send(secret("GetSecretValue", arn, first)).statusCode()).isEqualTo(400);
        assertThat(send(secret("GetSecretValue", "arn:aws:ssm:x", first)).statusCode())
                .isEqualTo(400);
        assertThat(Folders.read(state.awsCalls())).doesNotContain("rehearsed-", "changed");
    }

    @Test
    void shouldGiveThePasswordThatTheRegistryWantsAsAmazonEcr() throws Exception {
        Folders.write(state.registry().resolve("ecr-password"), "made-up");
        HttpResponse<String> given = send(signed("ecr", "/")
                .header("X-Amz-Target", "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken")
                .POST(BodyPublishers.ofString("{}")));

        assertThat(given.statusCode()).isEqualTo(200);
        assertThat(given.body())
                .contains(
                        "\"authorizationToken\":\"" + new EcrLogin(state.registry()).token() + "\"",
                        "\"proxyEndpoint\":\"https://123456789012.dkr.ecr.eu-central-1.amazonaws.com\"");
        assertThat(new EcrLogin(state.registry()).token()).isEqualTo("QVdTOm1hZGUtdXA=");
        assertThat(Folders.read(state.awsCalls()))
                .contains(" 1 ecr:GetAuthorizationToken on * ")
                .doesNotContain("made-up", "QVdT");
    }

    @Test
    void shouldTakeMetricsAndShowThemInItsLog() throws Exception {
        String days = "[{\"MetricName\":\"DaysLeft\",\"Value\":89.0}]";

        assertThat(send(metrics("Small", days)).statusCode()).isEqualTo(200);
        assertThat(Folders.read(state.awsCalls()))
                .contains(" 1 monitoring:PutMetricData on * MetricData=" + days + " Namespace=Small 200\n");
        assertThat(send(metrics("Other", days)).body())
                .contains("AccessDeniedException", "cloudwatch:PutMetricData on resource: *");
        assertThat(send(metrics("AWS/EC2", days)).body()).contains("InvalidParameterValue");
        assertThat(send(metrics("Small", "[]")).body()).contains("InvalidParameterValue");
        assertThat(send(metrics("Small", days.replace("89.0", "null"))).body()).contains("InvalidParameterValue");
    }

    @Test
    void shouldTakeMetricsFromAnOlderCommandLine() throws Exception {
        String form = "Action=PutMetricData&Version=2010-08-01&Namespace=Small&MetricData.member.1.MetricName=DaysLeft";

        HttpResponse<String> taken = send(form("monitoring", form + "&MetricData.member.1.Value=89"));

        assertThat(taken.statusCode()).isEqualTo(200);
        assertThat(taken.body()).contains("<PutMetricDataResponse/>");
        assertThat(send(form("monitoring", form + "&MetricData.member.1.Value=many"))
                        .body())
                .contains("<Code>InvalidParameterValue</Code>");
        assertThat(send(form("monitoring", form)).body()).contains("<Code>InvalidParameterValue</Code>");
    }

    @Test
    void shouldRefuseCallsThatAreNotSignedWithTheMachinesOwnKeys() throws Exception {
        URI uri = uri(api, "/");
        assertThat(send(HttpRequest.newBuilder(uri).POST(BodyPublishers.noBody()))
                        .statusCode())
                .isEqualTo(403);
        HttpRequest.Builder stolen = HttpRequest.newBuilder(uri)
                .header("Authorization", authorization("ASIASTOLEN", "ssm"))
                .POST(BodyPublishers.noBody());
        assertThat(send(stolen).body()).contains("The request is not signed with the keys of " + INSTANCE);
    }

    @Test
    void shouldLogEveryCall() throws Exception {
        send(signal("Hosts", INSTANCE, "SUCCESS"));
        assertThat(Folders.read(state.awsCalls()))
                .contains(
                        " 1 cloudformation:SignalResource on arn:aws:cloudformation:eu-central-1:123456789012:stack/Small/*"
                                + " LogicalResourceId=Hosts StackName=Small Status=SUCCESS"
                                + " UniqueId=" + INSTANCE + " 200\n");
    }

    @Test
    void shouldDenyASignalByNameToARoleThatMaySignalToTheIdAlone() throws Exception {
        deploy("/MachinePolicy/Properties/PolicyDocument/Statement", """
                [{"Action": "cloudformation:SignalResource", "Effect": "Allow", "Resource": {"Ref": "AWS::StackId"}}]""");
        HttpResponse<String> denied = send(signal("Hosts", INSTANCE, "SUCCESS"));

        String resource = "arn:aws:cloudformation:eu-central-1:123456789012:stack/Small/*";
        String said = USER + "cloudformation:SignalResource on resource: " + resource
                + " because no identity-based policy allows the cloudformation:SignalResource action";
        assertThat(denied.statusCode()).isEqualTo(403);
        assertThat(denied.body()).contains("<Code>AccessDenied</Code><Message>" + said + "</Message>");
        assertThat(Folders.read(state.awsCalls()))
                .contains(" 1 cloudformation:SignalResource on " + resource)
                .endsWith(" AccessDenied: " + said + " 403\n");
        Machines machines = new Machines(state);
        assertThat(machines.signal(machines.named("1"))).isEmpty();
        assertThat(machines.denial(machines.named("1"))).contains(said);
    }

    @Test
    void shouldDenyWhatTheTagsOfTheGroupDoNotAllow() throws Exception {
        deploy("/Hosts/Properties/Tags", "[{\"Key\": \"twinhost:stack\", \"Value\": \"Other\"}]");

        assertThat(setHealth(INSTANCE, "Unhealthy", "&ShouldRespectGracePeriod=false")
                        .body())
                .containsPattern("autoscaling:SetInstanceHealth on resource: " + GROUP + hosts() + " because no");
        assertThat(groups.get("Hosts").instance(INSTANCE).orElseThrow().healthy())
                .isTrue();
    }

    @Test
    void shouldAllowNothingToAMachineOfAGroupThatTheTemplateNoLongerHas() throws Exception {
        Path machine = state.machines().resolve("1/machine.json");
        Folders.write(machine, Folders.read(machine).replace("\"Hosts\"", "\"Former\""));

        assertThat(describe("")).contains("<Code>AccessDenied</Code>", "assumed-role/none/" + INSTANCE);
    }

    @Test
    void shouldLetAMachineMountAsItsRoleAndTheFileSystemAllow() throws Exception {
        assertThat(mount("tls,iam").body()).isEqualTo("rw");
        assertThat(mount("").body()).as("EFS's own policy").isEqualTo("rw");

        deploy("/Files/Properties/FileSystemPolicy", """
                {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": {"AWS": "*"},
                 "Action": "elasticfilesystem:ClientMount", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}""");
        String file = "elasticfilesystem:ClientMount on resource: arn:aws:elasticfilesystem:eu-central-1:123456789012:"
                + "file-system/" + site.fileSystem();
        assertThat(mount("tls,iam").body()).isEqualTo("rw");
        assertThat(mount("iam").body()).isEqualTo(USER + file + " with an explicit deny in a resource-based policy");
        HttpResponse<String> unsigned = mount("tls");
        assertThat(unsigned.statusCode()).isEqualTo(403);
        assertThat(unsigned.body()).startsWith("User: anonymous is not authorized to perform: " + file + " because no");
        assertThat(Folders.read(state.awsCalls()))
                .contains(" 1 elasticfilesystem mount " + site.fileSystem() + " tls,iam 200\n")
                .contains(" 1 elasticfilesystem mount " + site.fileSystem() + " tls AccessDenied: User: anonymous");
    }

    @Test
    void shouldLetAMachineThatMayNotWriteReadAlone() throws Exception {
        deploy("/MachinePolicy/Properties/PolicyDocument/Statement", """
                [{"Action": ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientRootAccess"], "Effect": "Allow",
                  "Resource": {"Fn::GetAtt": ["Files", "Arn"]}}]""");
        deploy("/Files/Properties/FileSystemPolicy", "{\"Version\": \"2012-10-17\", \"Statement\": []}");

        assertThat(mount("tls,iam").body()).isEqualTo("ro");
    }

    /** A deploy that changes one more place of the template. */
    private void deploy(String path, String json) throws IOException {
        Path release = Folders.make(state.root().resolve("release"));
        deployed.with(path, json).write(release);
        new Published(state).add(release);
    }

    private HttpResponse<String> mount(String options) throws Exception {
        return send(metadata("/rehearsal/mount/" + site.fileSystem() + "?" + options));
    }

    private String document(String path) throws Exception {
        HttpResponse<String> token = send(metadata("/latest/api/token")
                .PUT(BodyPublishers.noBody())
                .header("X-aws-ec2-metadata-token-ttl-seconds", "60"));
        return send(metadata(path).header("X-aws-ec2-metadata-token", token.body()))
                .body();
    }

    /** The handle's URL, as Ref gives it, but for the address of the stand-in. */
    private String answerUrl() {
        return site.waitCondition()
                .orElseThrow()
                .url()
                .replace(Place.API, "127.0.0.1:" + api.getAddress().getPort());
    }

    private HttpRequest.Builder answer(String url) {
        return HttpRequest.newBuilder(URI.create(url));
    }

    private HttpResponse<String> put(String url, String body) throws Exception {
        return send(answer(url).PUT(BodyPublishers.ofString(body)));
    }

    private String hosts() {
        return site.machineGroup("Hosts").name();
    }

    private String describe(String parameters) throws Exception {
        return send(form("autoscaling", "Action=DescribeAutoScalingGroups&Version=2011-01-01" + parameters))
                .body();
    }

    private HttpResponse<String> setHealth(String instance, String status, String parameters) throws Exception {
        return send(form(
                "autoscaling",
                "Action=SetInstanceHealth&InstanceId=" + instance + "&HealthStatus=" + status + parameters));
    }

    private HttpResponse<String> complete(String group, String hook, String instance) throws Exception {
        return send(form(
                "autoscaling",
                "Action=CompleteLifecycleAction&LifecycleActionResult=CONTINUE&LifecycleHookName=" + hook
                        + "&AutoScalingGroupName=" + group + "&InstanceId=" + instance));
    }

    private void moveTo(Lifecycle lifecycle) {
        groups.change(
                "Hosts",
                group -> new Group(
                        2,
                        3,
                        2,
                        0,
                        List.of(),
                        List.of(new Instance(INSTANCE, lifecycle, true, System.currentTimeMillis()))));
    }

    private HttpRequest.Builder metadata(String path) {
        return HttpRequest.newBuilder(uri(metadata, path));
    }

    private HttpRequest.Builder signal(String resource, String instance, String status) {
        return form(
                "cloudformation",
                "Action=SignalResource&Version=2010-05-15&StackName=Small&LogicalResourceId=" + resource + "&UniqueId="
                        + instance + "&Status=" + status);
    }

    private HttpRequest.Builder form(String service, String body) {
        return signed(service, "/").POST(BodyPublishers.ofString(body));
    }

    private HttpRequest.Builder metrics(String namespace, String data) {
        return signed("monitoring", "/")
                .header("X-Amz-Target", "GraniteServiceVersion20100801.PutMetricData")
                .POST(BodyPublishers.ofString("{\"Namespace\": \"" + namespace + "\", \"MetricData\": " + data + "}"));
    }

    private HttpRequest.Builder json(String action, String body) {
        return signed("ssm", "/").header("X-Amz-Target", "AmazonSSM." + action).POST(BodyPublishers.ofString(body));
    }

    private HttpRequest.Builder secret(String action, String arn, String version) {
        return signed("secretsmanager", "/")
                .header("X-Amz-Target", "secretsmanager." + action)
                .POST(BodyPublishers.ofString("{\"SecretId\": \"" + arn + "\", \"VersionId\": \"" + version + "\"}"));
    }

    private HttpRequest.Builder signed(String service, String path) {
        return HttpRequest.newBuilder(uri(api, path)).header("Authorization", authorization(KEY, service));
    }

    private static String authorization(String key, String service) {
        return "AWS4-HMAC-SHA256 Credential=" + key + "/20261122/eu-central-1/" + service
                + "/aws4_request, SignedHeaders=host, Signature=0";
    }

    private static URI uri(HttpServer server, String path) {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + path);
    }

    private HttpResponse<String> send(HttpRequest.Builder request) throws IOException, InterruptedException {
        return client.send(request.build(), BodyHandlers.ofString());
    }
}
