package dev.twinhost;

import static dev.twinhost.SynthesisedTemplate.site;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class NetworkTemplateTest {
    private static final String GROUP = "AWS::EC2::SecurityGroup";

    @Test
    void shouldLetTheWorldReachTheBalancerAloneAndOnlyOnItsTwoPorts() {
        assertThat(rules("Ingress", "Balancer"))
                .containsExactlyInAnyOrder("0.0.0.0/0 tcp 80", "0.0.0.0/0 tcp 443", "0.0.0.0/0 icmp 3:4");
    }

    @Test
    void shouldLetTheBalancerReachNothingButTheHostsTwoPorts() {
        assertThat(rules("Egress", "Balancer"))
                .containsExactlyInAnyOrder("Hosts tcp 80", "Hosts tcp 443", "Hosts icmp 3:4");
    }

    @Test
    void shouldLetTheBalancerAloneReachTheHostsWebPorts() {
        assertThat(rules("Ingress", "Hosts")).containsExactlyInAnyOrder("Balancer tcp 80", "Balancer tcp 443");
    }

    @Test
    void shouldLetMachinesReachTheSwarmsPortsAmongThemselvesAndNobodyElse() {
        assertThat(rules("Ingress", "Machines"))
                .containsExactlyInAnyOrder(
                        "Machines tcp 2377",
                        "Machines tcp 7946",
                        "Machines udp 7946",
                        "Machines udp 4789",
                        "0.0.0.0/0 icmp 3:4");
    }

    @Test
    void shouldLetMachinesAloneReachTheStorage() {
        assertThat(rules("Ingress", "Storage")).containsExactly("Machines tcp 2049");
    }

    @Test
    void shouldLetTheStorageAndTheHostsGroupReachNothing() {
        // What a group without any rule would be is "everything": CDK writes a rule that matches no packet.
        assertThat(rules("Egress", "Storage")).containsExactly("255.255.255.255/32 icmp 252:86");
        assertThat(rules("Egress", "Hosts")).containsExactly("255.255.255.255/32 icmp 252:86");
    }

    @Test
    void shouldOpenSshToNobody() {
        for (String group : List.of("Balancer", "Hosts", "Machines", "Storage")) {
            assertThat(rules("Ingress", group)).noneMatch(rule -> rule.endsWith(" 22"));
        }
    }

    @Test
    void shouldHaveNoOtherSecurityGroups() {
        assertThat(site().resources(GROUP)).hasSize(4);
    }

    @Test
    void shouldTakeTheRegionsFirstZonesWithoutALookUp() {
        assertThat(site().resources("AWS::EC2::Subnet").values())
                .extracting(subnet ->
                        subnet.path("Properties").path("AvailabilityZone").toString())
                .containsExactly(
                        "{\"Fn::Select\":[0,{\"Fn::GetAZs\":\"\"}]}",
                        "{\"Fn::Select\":[1,{\"Fn::GetAZs\":\"\"}]}",
                        "{\"Fn::Select\":[2,{\"Fn::GetAZs\":\"\"}]}");
    }

    @Test
    void shouldGiveEverySubnetAWayToTheInternetAndToS3() {
        assertThat(site().resources("AWS::EC2::Subnet").values())
                .allMatch(subnet ->
                        subnet.path("Properties").path("MapPublicIpOnLaunch").asBoolean());
        assertThat(site().resources("AWS::EC2::Route").values())
                .hasSize(3)
                .allMatch(route -> route.path("Properties").has("GatewayId"));
        JsonNode endpoint = site().propertiesOf("AWS::EC2::VPCEndpoint", "Network/Vpc/S3");
        assertThat(endpoint.path("VpcEndpointType").asText()).isEqualTo("Gateway");
        assertThat(endpoint.path("ServiceName").toString()).contains(".s3");
        assertThat(endpoint.path("RouteTableIds")).hasSize(3);
    }

    @Test
    void shouldCostNoNatGateway() {
        assertThat(site().resources("AWS::EC2::NatGateway")).isEmpty();
    }

    @Test
    void shouldKeepTheVpcsLogicalId() {
        assertThat(site().resources("AWS::EC2::VPC")).containsOnlyKeys("NetworkVpc7FB7348F");
    }

    /** The rules of a group, inline or not, as {@code peer protocol port}. */
    private static List<String> rules(String direction, String group) {
        String id = site().idOf(GROUP, "Network/Groups/" + group + "/Resource");
        List<String> rules = new ArrayList<>();
        site().resource(id).path("Properties").path("SecurityGroup" + direction).forEach(rule -> rules.add(text(rule)));
        for (Map.Entry<String, JsonNode> rule :
                site().resources("AWS::EC2::SecurityGroup" + direction).entrySet()) {
            JsonNode properties = rule.getValue().path("Properties");
            if (properties.path("GroupId").path("Fn::GetAtt").path(0).asText().equals(id)) {
                rules.add(text(properties));
            }
        }
        return rules;
    }

    private static String text(JsonNode rule) {
        String protocol = rule.path("IpProtocol").asText();
        String from = rule.path("FromPort").asText();
        String to = rule.path("ToPort").asText();
        return peer(rule) + ' ' + protocol + ' ' + (from.equals(to) ? from : from + ':' + to);
    }

    private static String peer(JsonNode rule) {
        for (String key : List.of("SourceSecurityGroupId", "DestinationSecurityGroupId")) {
            if (rule.has(key)) {
                String id = rule.path(key).path("Fn::GetAtt").path(0).asText();
                String path = site().resource(id)
                        .path("Metadata")
                        .path("aws:cdk:path")
                        .asText();
                return path.replaceAll("^.*/Groups/|/Resource$", "");
            }
        }
        return rule.path("CidrIp").asText();
    }
}
