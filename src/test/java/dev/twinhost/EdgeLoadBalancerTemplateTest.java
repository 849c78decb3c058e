package dev.twinhost;

import static dev.twinhost.SynthesisedTemplate.site;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EdgeLoadBalancerTemplateTest {
    private static final String TARGETS = "AWS::ElasticLoadBalancingV2::TargetGroup";

    @Test
    void shouldFaceTheInternetInTheHostsTwoZonesWithItsOwnSecurityGroup() {
        JsonNode balancer = site().resources("AWS::ElasticLoadBalancingV2::LoadBalancer")
                .values()
                .iterator()
                .next()
                .path("Properties");

        assertThat(balancer.path("Type").asText()).isEqualTo("network");
        assertThat(balancer.path("Scheme").asText()).isEqualTo("internet-facing");
        assertThat(balancer.path("Subnets"))
                .extracting(subnet -> subnet.path("Ref").asText())
                .containsExactly("NetworkVpcPublicSubnet1Subnet36933139", "NetworkVpcPublicSubnet2SubnetC427CCE0");
        assertThat(balancer.path("SecurityGroups")).hasSize(1);
        assertThat(balancer.path("SecurityGroups").toString())
                .contains(site().idOf("AWS::EC2::SecurityGroup", "Groups/Balancer/"));
        assertThat(attributes(balancer.path("LoadBalancerAttributes")))
                .containsEntry("load_balancing.cross_zone.enabled", "true");
    }

    @ParameterizedTest
    @CsvSource({"Http, 80", "Https, 443"})
    void shouldHandOnEachPortToAGroupOfItsOwn(String name, int port) {
        JsonNode listener =
                site().propertiesOf("AWS::ElasticLoadBalancingV2::Listener", "/Balancer/" + name + "/Resource");

        assertThat(listener.path("Port").asInt()).isEqualTo(port);
        assertThat(listener.path("Protocol").asText()).isEqualTo("TCP");
        assertThat(listener.path("DefaultActions").toString())
                .isEqualTo("[{\"TargetGroupArn\":{\"Ref\":\"%s\"},\"Type\":\"forward\"}]"
                        .formatted(site().idOf(TARGETS, name + "Targets")));

        JsonNode group = site().propertiesOf(TARGETS, name + "Targets");
        assertThat(group.path("Port").asInt()).isEqualTo(port);
        assertThat(group.path("Protocol").asText()).isEqualTo("TCP");
        assertThat(group.path("TargetType").asText()).isEqualTo("instance");
    }

    @ParameterizedTest
    @CsvSource({"HttpTargets", "HttpsTargets"})
    void shouldNoticeADeadHostWithinFourteenSeconds(String name) {
        JsonNode group = site().propertiesOf(TARGETS, name);

        assertThat(group.path("HealthCheckProtocol").asText()).isEqualTo("HTTP");
        assertThat(group.path("HealthCheckPort").asText()).isEqualTo("80");
        assertThat(group.path("HealthCheckPath").asText()).isEqualTo("/healthz");
        assertThat(group.path("Matcher").path("HttpCode").asText()).isEqualTo("200");
        assertThat(group.path("HealthCheckIntervalSeconds").asInt()).isEqualTo(5);
        assertThat(group.path("HealthCheckTimeoutSeconds").asInt()).isEqualTo(2);
        assertThat(group.path("HealthyThresholdCount").asInt()).isEqualTo(2);
        assertThat(group.path("UnhealthyThresholdCount").asInt()).isEqualTo(2);
    }

    @ParameterizedTest
    @CsvSource({"HttpTargets", "HttpsTargets"})
    void shouldKeepOpenConnectionsAndTheClientsAddress(String name) {
        assertThat(attributes(site().propertiesOf(TARGETS, name).path("TargetGroupAttributes")))
                .containsExactlyInAnyOrderEntriesOf(Map.of(
                        "deregistration_delay.timeout_seconds", "60",
                        "deregistration_delay.connection_termination.enabled", "false",
                        "preserve_client_ip.enabled", "true",
                        "target_health_state.unhealthy.connection_termination.enabled", "false",
                        "target_health_state.unhealthy.draining_interval_seconds", "60"));
    }

    @Test
    void shouldTellTheEdgeHowLongToWaitForTheBalancer() {
        assertThat(EdgeLoadBalancer.lameDuckSeconds()).isEqualTo(16);
        assertThat(EdgeLoadBalancer.edgeUpdateDelaySeconds()).isEqualTo(15);
    }

    private static Map<String, String> attributes(JsonNode list) {
        Map<String, String> attributes = new TreeMap<>();
        list.forEach(attribute -> attributes.put(
                attribute.path("Key").asText(), attribute.path("Value").asText()));
        return attributes;
    }
}
