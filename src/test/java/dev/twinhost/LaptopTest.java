package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** That the scripts which people type run under bash 3.2 with the tools of BSD and LibreSSL, as macOS has them. */
class LaptopTest {
    /** What needs Linux and says so. */
    private static final List<String> LINUX = List.of("bench", "prepare.sh", "rehearse", "test");

    @TempDir
    Path root;

    private Shell shell;

    @BeforeEach
    void makeLaptop() {
        shell = new Shell(root).with("PATH", root.resolve("stand-ins") + ":" + Laptop.path());
    }

    /** What came after bash 3.2, https://git.savannah.gnu.org/cgit/bash.git/tree/NEWS, and how it may be written. */
    private enum Later {
        ARRAYS_BY_NAME("\\b(?:declare|local|typeset|readonly) +-[a-zA-Z]*[Agn]", "declare -A map"),
        MAPFILE("\\b(?:mapfile|readarray|coproc)\\b", "mapfile -t lines"),
        CASE("\\$\\{[\\w\\[\\]@*]+(?:,,?|\\^\\^?)", "${domain,,}"),
        TRANSFORMATION("\\$\\{[\\w\\[\\]@*]+@[QEPAKakUuL]}", "${name@Q}"),
        NEGATIVE_LENGTH("\\$\\{[\\w\\[\\]@*]+:[^}]*: *-\\d", "${name:0:-1}"),
        NEGATIVE_INDEX("\\$\\{\\w+\\[-\\d+]", "${name[-1]}"),
        IS_SET("\\[\\[.* -[vR] ", "[[ -v name ]]"),
        BOTH_STREAMS("&>>|\\|&", "command |& cat"),
        FALL_THROUGH(";;?&", "  ;;&"),
        TIME("printf[^|;]*%\\(", "printf '%(%F)T'"),
        DESCRIPTOR("\\{\\w+}[<>]", "exec {lock}<file"),
        FRACTION("\\bread\\b[^|;]* -t *[\\d]*\\.\\d", "read -t 0.5"),
        EXACTLY("\\bread\\b[^|;]* -[a-zA-Z]*[Ni]\\b", "read -N 1"),
        WAIT("\\bwait +-[nfp]", "wait -n"),
        VARIABLE("\\$\\{?(?:BASHPID|EPOCHSECONDS|EPOCHREALTIME|SRANDOM|BASH_ARGV0)\\b", "$BASHPID"),
        OPTION(
                "\\bshopt\\b.*\\b(?:globstar|lastpipe|inherit_errexit|localvar_inherit|autocd|dirspell)\\b",
                "shopt -s globstar"),
        /** Bash before 4.4 calls it unbound; not for an array that always has something. */
        EMPTY_ARRAY("(?<!\\+)\"\\$\\{(?!question\\b)\\w+\\[[@*]](?!\\+)[^}]*}\"", "\"${options[@]}\"");

        private final Pattern pattern;
        private final String example;

        Later(String pattern, String example) {
            this.pattern = Pattern.compile(pattern);
            this.example = example;
        }
    }

    @ParameterizedTest
    @MethodSource("scripts")
    void shouldUseNothingThatCameAfterBash32(Path script) {
        List<String> lines = read(script)
                .lines()
                .map(line -> line.replaceAll("(^|\\s)#.*", ""))
                .toList();

        assertThat(Later.values())
                .allSatisfy(later -> assertThat(lines)
                        .as("%s, such as %s", later, later.example)
                        .noneMatch(line -> later.pattern.matcher(line).find()));
    }

    @ParameterizedTest
    @EnumSource
    void shouldFindWhatCameAfterBash32(Later later) {
        assertThat(later.example).containsPattern(later.pattern);
    }

    /** So that the tests that run scripts with these tools can fail. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "date -d now | date: illegal option -- d",
                "stat -c %U / | stat: illegal option -- c",
                "sed -n 's/a\\+/b/p' | sed: illegal option -- \\+",
                "sed 's/a/b/I' | bad flag in substitute command: 'I'",
                "sed -n '/a/{/b/p}' | extra characters at the end of p command",
                "sed --expression p | sed: illegal option -- -",
                "sort -V | sort: illegal option -- V",
                "grep -P a | grep: illegal option -- P",
                "grep -oE 'a\\S+' | grep: illegal option -- \\S",
                "find / -maxdepth 0 -printf %u | find: -printf: unknown primary or operator",
                "readlink -f / | readlink: illegal option -- f",
                "mktemp | usage: mktemp",
                "mktemp -d | usage: mktemp",
                "paste -sd , | usage: paste",
                "cp --reflink=auto a b | cp: illegal option -- -",
                "head -n -1 | head: illegal line count -- -1",
                "xargs -r echo | xargs: illegal option -- r",
                "openssl x509 -noout -ext subjectAltName | unknown option -ext",
                "openssl s_client -brief | unknown option -brief",
                "openssl ciphers ALL:@SECLEVEL=0 | invalid command"
            })
    void shouldLackWhatAMacLacks(String command, String words) {
        Shell.Result result =
                new Shell(root).with("PATH", Laptop.standIns()).run("/bin/bash", "-c", command + " </dev/null");

        assertThat(result.output()).contains(words);
        assertThat(result.status()).isNotZero();
    }

    @ParameterizedTest
    @CsvSource({"timeout", "flock", "tac", "setsid", "runuser", "getent"})
    void shouldNotHaveWhatAMacHasNot(String tool) {
        assertThat(shell.run("/bin/bash", "-c", "command -v " + tool).status()).isNotZero();
    }

    /** What bin/verify finds on a real edge is in {@link VerifyTest}; here it is what it makes of the words of these tools. */
    @Test
    void shouldCallAHealthySiteWell() {
        healthySite();

        Shell.Result verify = shell.run(Shell.CHECKOUT + "/bin/verify", "Example.com");

        assertThat(verify.output())
                .contains("ok      certificate for both names                    www.example.com example.com\n")
                .contains("ok      certificate is trusted                        CN=An authority\n")
                .contains("ok      certificate lasts                             39 days left\n")
                .contains("ok      HSTS                                          max-age=63072000\n")
                .contains("ok      TLS 1.0 is refused                            refused\n")
                .contains("ok      TLS 1.3 is taken                              taken\n")
                .contains("ok      an unknown name gets no certificate           none\n")
                .endsWith("\nall is well\n")
                .doesNotContain("BROKEN");
        assertThat(verify.status()).isZero();
    }

    @Test
    void shouldEndAHandshakeThatHangs() {
        healthySite();
        shell.standIn("openssl", "[[ $1 != s_client ]] || exec /bin/sleep 60; exec /usr/bin/openssl \"$@\"");
        shell.standIn("sleep", "exec /bin/sleep 0.1");

        Shell.Result verify = shell.run(Shell.CHECKOUT + "/bin/verify", "example.com");

        assertThat(verify.output())
                .contains("BROKEN  TLS 1.2 is taken                              no connection\n")
                .doesNotContain("Terminated");
        assertThat(verify.status()).isEqualTo(1);
    }

    @ParameterizedTest
    @CsvSource({"curl", "jq", "openssl"})
    void shouldNameAToolThatVerifyLacks(String tool) throws IOException {
        shell.with("PATH", root.resolve("stand-ins") + ":" + Laptop.without(tool));

        Shell.Result verify = shell.run(Shell.CHECKOUT + "/bin/verify", "example.com");

        assertThat(verify)
                .isEqualTo(new Shell.Result(
                        2,
                        "bin/verify: needs %s, which is not installed; install it (macOS: brew install %1$s; Debian: apt-get install %1$s)\n"
                                .formatted(tool)));
    }

    @Test
    void shouldAskForTheNodeOfThePackageFile() throws IOException {
        String least = new ObjectMapper()
                .readTree(Shell.CHECKOUT.resolve("package.json").toFile())
                .at("/engines/node")
                .asText();

        assertThat(least).matches(">=\\d+");
        assertThat(read(Shell.CHECKOUT.resolve("bin/common.sh")))
                .contains("readonly LEAST_NODE=" + least.substring(2) + "\n");
    }

    static Stream<Path> scripts() throws IOException {
        try (Stream<Path> files = Files.list(Shell.CHECKOUT.resolve("bin"))) {
            return files.filter(file -> !LINUX.contains(file.getFileName().toString())).sorted().toList().stream();
        }
    }

    private void healthySite() {
        shell.standIn("sleep", "exec /bin/sleep \"$@\"");
        assertThat(shell.bash("/usr/bin/openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 40"
                                + " -subj '/CN=An authority' -addext subjectAltName=DNS:www.example.com,DNS:example.com"
                                + " -keyout key.pem -out certificate.pem 2>/dev/null")
                        .status())
                .isZero();
        shell.standIn("curl", """
                url=${*: -1} location=''
                case $url in
                  http://unknown.invalid/) echo 'curl: (52) Empty reply from server' && exit ;;
                  */.well-known/*) status='HTTP/1.1 404' ;;
                  https://www.*) status='HTTP/2 200' ;;
                  *) status='HTTP/1.1 301' location="Location: https://www.example.com/${url#*://*/}" ;;
                esac
                printf '%s\\r\\n' "$status" 'Strict-Transport-Security: max-age=63072000'
                [[ -z $location ]] || printf '%s\\r\\n' "$location"
                printf '\\r\\nbody\\n'""");
        // The lines of LibreSSL 3.3.6, against a server that refuses the old versions and unknown names.
        shell.standIn("openssl", """
                [[ $1 == s_client ]] || exec "${PATH#*:}/openssl" "$@"
                case " $* " in
                  *' -tls1 '* | *' -tls1_1 '* | *unknown.invalid*)
                    echo '139838869178176:error:1404B42E:SSL routines:ST_CONNECT:tlsv1 alert protocol version:tls13_lib.c:129:SSL alert number 70' >&2
                    printf 'CONNECTED(00000003)\\nwrite W BLOCK\\n---\\nno peer certificate available\\n---\\nNew, (NONE), Cipher is (NONE)\\n'
                    exit 1 ;;
                esac
                echo 'verify error:num=18:self signed certificate' >&2
                printf 'CONNECTED(00000003)\\nwrite W BLOCK\\n---\\nServer certificate\\n'
                cat "$TWINHOST_ROOT/certificate.pem"
                printf 'issuer=/CN=An authority\\n---\\nNew, TLSv1/SSLv3, Cipher is ECDHE-ECDSA-AES256-GCM-SHA384\\n'""");
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
