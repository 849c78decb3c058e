package dev.twinhost;

import java.util.List;

/** The parameters of a site as a machine of the tests reads them, and what it answers to the deploy that waits for it. */
final class Answers {
    static final String PARAMETER = "answer-parameter";
    static final String GIVEN = "answers";

    private final Shell shell;

    /** The release parameter is the file {@code parameter}. */
    Answers(Shell shell) {
        this.shell = shell;
        shell.standIn("aws", """
                printf 'aws %%s\\n' "$*" >>"$TWINHOST_ROOT/commands"
                case " $* " in
                  *' --name /site/answer '*) cat "$TWINHOST_ROOT/%s" ;;
                  *) cat "$TWINHOST_ROOT/parameter" ;;
                esac""".formatted(PARAMETER));
    }

    /** A deploy waits for the end of this release. */
    Answers awaitedFor(String sha, String deploy) {
        shell.write(PARAMETER, "{\"sha256\":\"" + sha + "\",\"url\":\"" + url(deploy) + "\"}\n");
        return this;
    }

    static String url(String deploy) {
        return "https://cloudformation.example/arn%3Aaws%3Astack/" + deploy
                + "?X-Amz-Expires=86399&X-Amz-Signature=0123";
    }

    /** By turns a request line and its body. */
    List<String> given() {
        return shell.exists(GIVEN) ? shell.read(GIVEN).lines().toList() : List.of();
    }

    /** Of all bodies so far, status and reason. */
    List<String> reasons() {
        return given().stream()
                .filter(line -> line.startsWith("{"))
                .map(body -> body.replaceFirst("\\{\"Status\":\"(\\w+)\",\"Reason\":\"(.*)\",\"UniqueId\".*", "$1 $2"))
                .toList();
    }
}
