package dev.twinhost.rehearsal.balancer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.SmallAssembly;
import dev.twinhost.rehearsal.site.Site;
import java.util.List;
import org.junit.jupiter.api.Test;

class BalancerConfigurationTest {
    @Test
    void shouldFollowListenersAndHealthChecksOfTheTemplate() {
        assertThat(text(new SmallAssembly())).isEqualTo("""

                frontend port-443
                  bind 198.51.100.80:443
                  bind 198.51.100.81:443
                  timeout client 350s
                  use_backend HttpsTargets-open if { nbsrv(HttpsTargets) eq 0 }
                  default_backend HttpsTargets

                backend HttpsTargets
                  timeout server 350s
                  timeout connect 2s
                  timeout check 2s
                  option httpchk
                  http-check send meth GET uri /healthz ver HTTP/1.1 hdr Host target hdr User-Agent ELB-HealthChecker/2.0 hdr Connection close
                  http-check expect status 200-299

                backend HttpsTargets-open
                  timeout server 350s
                  timeout connect 60s
                """);
    }

    @Test
    void shouldFollowTheListenersIdleTimeoutAndPort() {
        assertThat(text(new SmallAssembly()
                        .with("/Https/Properties/Port", "8443")
                        .with(
                                "/Https/Properties/ListenerAttributes",
                                "[{\"Key\": \"tcp.idle_timeout.seconds\", \"Value\": \"600\"}]")))
                .contains("bind 198.51.100.80:8443\n", "timeout client 600s", "timeout server 600s");
    }

    @Test
    void shouldOnlyConnectWhereTheCheckIsTcp() {
        assertThat(text(new SmallAssembly().with("/HttpsTargets/Properties/HealthCheckProtocol", "\"TCP\"")))
                .doesNotContain("httpchk", "http-check");
    }

    @Test
    void shouldCheckATargetAsOftenAsTheTemplateSaysAndKeepTheVisitorsAddress() {
        assertThat(checked(new SmallAssembly()))
                .isEqualTo("10.42.0.10:443 check port 80 inter 5000 fastinter 5000 downinter 5000 rise 3 fall 2"
                        + " init-state down source 0.0.0.0 usesrc clientip");
    }

    @Test
    void shouldFollowTheAttributesOfATargetGroup() {
        assertThat(checked(new SmallAssembly().with("/HttpsTargets/Properties/TargetGroupAttributes", """
                        [{"Key": "preserve_client_ip.enabled", "Value": "false"}]""")))
                .endsWith("init-state down on-marked-down shutdown-sessions");
    }

    private static String text(SmallAssembly assembly) {
        Site site = assembly.read();
        return new BalancerConfiguration(site.balancer(), List.of("198.51.100.80", "198.51.100.81")).text();
    }

    private static String checked(SmallAssembly assembly) {
        return BalancerConfiguration.checked(
                assembly.read().balancer().targetGroups().get(0), "10.42.0.10");
    }
}
