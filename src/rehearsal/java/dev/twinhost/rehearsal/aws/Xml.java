package dev.twinhost.rehearsal.aws;

/** XML as AWS's query services answer it. */
final class Xml {
    private Xml() {}

    static Answer answer(int status, String body) {
        return Answer.text(status, "text/xml", "<?xml version=\"1.0\"?>\n" + body + "\n");
    }

    static String element(String name, String text) {
        return "<" + name + ">" + text(text) + "</" + name + ">";
    }

    static String text(String value) {
        return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}
