package dev.twinhost.rehearsal.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.twinhost.rehearsal.system.Failure;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ReferenceTest {
    @ParameterizedTest
    @CsvSource({
        "nginx,                          registry-1.docker.io,  registry-1.docker.io/library/nginx,     latest",
        "example/shop:1.4.2,             registry-1.docker.io,  registry-1.docker.io/example/shop,      1.4.2",
        "docker.io/shop:1,               registry-1.docker.io,  registry-1.docker.io/library/shop,      1",
        "index.docker.io/example/shop:1, registry-1.docker.io,  registry-1.docker.io/example/shop,      1",
        "ghcr.io/example/a__b/c-d:V_1.x, ghcr.io,               ghcr.io/example/a__b/c-d,               V_1.x",
        "Registry.Example.org:5000/shop, registry.example.org,  registry.example.org_5000/shop,         latest",
        "public.ecr.aws/nginx/nginx:1,   public.ecr.aws,        public.ecr.aws/nginx/nginx,             1"
    })
    void shouldReadAReferenceAsDockerDoes(String text, String host, String place, String tag) {
        Reference reference = Reference.of(text);
        assertThat(reference.host()).isEqualTo(host);
        assertThat(reference.place()).isEqualTo(place);
        assertThat(reference.tag()).isEqualTo(tag);
        assertThat(reference.digest()).isEmpty();
        assertThat(reference).hasToString(text);
    }

    @Test
    void shouldReadADigest() {
        String digest = "sha256:" + "0123456789abcdef".repeat(4);
        Reference reference = Reference.of("example.org/shop:1@" + digest);
        assertThat(reference.digest()).contains(digest);
        assertThat(reference.tag()).isEqualTo("1");
    }

    @Test
    void shouldKnowTheSameImageByItsOtherNames() {
        assertThat(Reference.of("docker.io/twinhost-rehearsal/nginx:1").names(Reference.OWN))
                .isTrue();
        assertThat(Reference.of("twinhost-rehearsal/nginx").names(Reference.OWN))
                .isFalse();
        assertThat(Reference.of("example.org/twinhost-rehearsal/nginx:1").names(Reference.OWN))
                .isFalse();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        a b                 | a b: is no reference to an image; want one like example/shop:1.4.2
        localhost/shop:1    | localhost/shop:1: the rehearsal cannot play the registry localhost; it plays those that have a name in the DNS of the internet
        203.0.113.9:5000/a  | 203.0.113.9:5000/a: the rehearsal cannot play the registry 203.0.113.9:5000; it plays those that have a name in the DNS of the internet
        """)
    void shouldRefuseWhatNoRegistryOfARehearsalAnswers(String text, String message) {
        assertThatExceptionOfType(Failure.class)
                .isThrownBy(() -> Reference.of(text))
                .withMessage(message);
    }
}
