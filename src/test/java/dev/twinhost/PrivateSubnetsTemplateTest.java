package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;

/** The template where the machines stand in private subnets, beside the one where they do not. */
class PrivateSubnetsTemplateTest {
    private static final String SUBNET = "AWS::EC2::Subnet";
    private static final String MOUNT_TARGET = "AWS::EFS::MountTarget";
    private static final String BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer";

    private static final class Private {
        private static final SynthesisedTemplate TEMPLATE = SynthesisedTemplate.with(Map.of("natGateways", 2));
    }

    private static final class Cheap {
        private static final SynthesisedTemplate TEMPLATE =
                SynthesisedTemplate.with(Map.of("natGateways", 1, "zones", 2, "vpcCidr", "192.168.0.0/24"));
    }

    @Test
    void shouldPutTheMachinesWhereTheyGetNoPublicAddress() {
        assertThat(zones(Private.TEMPLATE, subnets(Private.TEMPLATE, "Hosts"))).containsExactly("0", "1");
        assertThat(zones(Private.TEMPLATE, subnets(Private.TEMPLATE, "Witness")))
                .containsExactly("2");
        for (String group : List.of("Hosts", "Witness")) {
            assertThat(subnets(Private.TEMPLATE, group))
                    .allMatch(id -> !subnet(Private.TEMPLATE, id)
                            .path("MapPublicIpOnLaunch")
                            .asBoolean(true));
        }
        assertThat(Private.TEMPLATE.resources("AWS::EC2::LaunchTemplate").toString())
                .doesNotContain("AssociatePublicIpAddress");
    }

    @Test
    void shouldLeaveTheBalancerAndTheMountTargetsWhereTheyAre() {
        SynthesisedTemplate open = SynthesisedTemplate.site();

        assertThat(Private.TEMPLATE.resources(BALANCER)).isEqualTo(open.resources(BALANCER));
        assertThat(Private.TEMPLATE.resources(MOUNT_TARGET)).isEqualTo(open.resources(MOUNT_TARGET));
        assertThat(Private.TEMPLATE.resources(SUBNET)).containsAllEntriesOf(open.resources(SUBNET));
    }

    @Test
    void shouldMoveNoPublicSubnetOfASmallVpc() {
        SynthesisedTemplate open = SynthesisedTemplate.with(Map.of("zones", 2, "vpcCidr", "192.168.0.0/24"));

        assertThat(Cheap.TEMPLATE.resources(SUBNET)).containsAllEntriesOf(open.resources(SUBNET));
        assertThat(subnets(Cheap.TEMPLATE, "Witness"))
                .extracting(id -> subnet(Cheap.TEMPLATE, id).path("CidrBlock").asText())
                .containsExactly("192.168.0.128/28", "192.168.0.144/28");
    }

    @Test
    void shouldLeadTheHostsOfEachZoneThroughAGatewayInTheSameZone() {
        assertThat(Private.TEMPLATE.resources("AWS::EC2::NatGateway")).hasSize(2);
        for (String id : subnets(Private.TEMPLATE, "Hosts")) {
            JsonNode gateway =
                    Private.TEMPLATE.resource(gateway(Private.TEMPLATE, id)).path("Properties");
            JsonNode place = subnet(
                    Private.TEMPLATE, gateway.path("SubnetId").path("Ref").asText());
            assertThat(place.path("MapPublicIpOnLaunch").asBoolean()).isTrue();
            assertThat(place.path("AvailabilityZone"))
                    .isEqualTo(subnet(Private.TEMPLATE, id).path("AvailabilityZone"));
        }
    }

    @Test
    void shouldLeadAllMachinesThroughTheOneGatewayWhereThereIsNoOther() {
        String only = Cheap.TEMPLATE.resources("AWS::EC2::NatGateway").firstKey();

        assertThat(subnets(Cheap.TEMPLATE, "Hosts"))
                .hasSize(2)
                .allMatch(id -> gateway(Cheap.TEMPLATE, id).equals(only));
    }

    @Test
    void shouldMoveRoutesAloneWhereASecondGatewayComes() {
        SynthesisedTemplate one = SynthesisedTemplate.with(Map.of("natGateways", 1));
        Set<String> changed = one.json().path("Resources").properties().stream()
                .filter(resource -> !resource.getValue()
                        .equals(Private.TEMPLATE.json().path("Resources").path(resource.getKey())))
                .map(Map.Entry::getKey)
                .collect(Collectors.toSet());

        assertThat(changed)
                .isNotEmpty()
                .isSubsetOf(one.resources("AWS::EC2::Route").keySet());
    }

    @Test
    void shouldReachS3WithoutAGateway() {
        JsonNode endpoint = Private.TEMPLATE.propertiesOf("AWS::EC2::VPCEndpoint", "Network/Vpc/S3");

        assertThat(references(endpoint.path("RouteTableIds")))
                .hasSize(6)
                .containsExactlyInAnyOrderElementsOf(
                        Private.TEMPLATE.resources("AWS::EC2::RouteTable").keySet());
    }

    @Test
    void shouldMakeTheWayOutBeforeTheMachines() {
        Set<String> routes = Private.TEMPLATE.resources("AWS::EC2::Route").entrySet().stream()
                .filter(route -> route.getValue().path("Properties").has("NatGatewayId"))
                .map(Map.Entry::getKey)
                .collect(Collectors.toSet());

        assertThat(routes).hasSize(3);
        assertThat(Private.TEMPLATE.dependenciesOf("Hosts")).containsAll(routes);
        assertThat(Private.TEMPLATE.dependenciesOf("Witness")).containsAll(routes);
        // A gateway that is made before its own way out exists fails.
        Private.TEMPLATE
                .resources("AWS::EC2::NatGateway")
                .keySet()
                .forEach(gateway -> assertThat(Private.TEMPLATE.dependenciesOf(gateway))
                        .anyMatch(id -> id.contains("DefaultRoute")));
    }

    @Test
    void shouldWarnOfAGatewayThatIsAlone() {
        assertThat(Cheap.TEMPLATE.messages().findValuesAsText("data"))
                .contains("natGateways is 1: when its zone is lost, the host in the other zone goes on serving, but no"
                        + " machine can boot and no certificate is renewed until that zone is back. 2 gives each zone of"
                        + " a host its own. [ack: twinhost:natGateways]");
        assertThat(Private.TEMPLATE.messages().toString()).doesNotContain("twinhost:natGateways");
    }

    private static List<String> subnets(SynthesisedTemplate template, String group) {
        return references(template.resource(group).path("Properties").path("VPCZoneIdentifier"));
    }

    private static List<String> zones(SynthesisedTemplate template, List<String> subnets) {
        return subnets.stream()
                .map(id -> subnet(template, id)
                        .path("AvailabilityZone")
                        .path("Fn::Select")
                        .path(0)
                        .asText())
                .toList();
    }

    private static JsonNode subnet(SynthesisedTemplate template, String id) {
        return template.resource(id).path("Properties");
    }

    /** The NAT gateway to which the route table of a subnet leads. */
    private static String gateway(SynthesisedTemplate template, String subnet) {
        String table = template.resources("AWS::EC2::SubnetRouteTableAssociation").values().stream()
                .map(association -> association.path("Properties"))
                .filter(association ->
                        association.path("SubnetId").path("Ref").asText().equals(subnet))
                .map(association -> association.path("RouteTableId").path("Ref").asText())
                .findFirst()
                .orElseThrow();
        return template.resources("AWS::EC2::Route").values().stream()
                .map(route -> route.path("Properties"))
                .filter(route -> route.path("RouteTableId").path("Ref").asText().equals(table))
                .map(route -> route.path("NatGatewayId").path("Ref").asText())
                .findFirst()
                .orElseThrow();
    }

    private static List<String> references(JsonNode list) {
        return StreamSupport.stream(list.spliterator(), false)
                .map(element -> element.path("Ref").asText())
                .toList();
    }
}
