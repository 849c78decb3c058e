package dev.twinhost;

import java.util.List;

/**
 * A text in a template, and where it stands.
 *
 * @param type of its resource, or {@link #TEMPLATE}
 * @param id of its resource, or the part of the template
 * @param path the names that lead to it from there; {@code *} for any element of a list
 */
record TemplateText(String type, String id, List<String> path, String value) {
    /** The type of what is no resource: descriptions, outputs, and the names that the template itself gives. */
    static final String TEMPLATE = "Template";

    /** Whether it stands where {@code place} says: a type and a path, with {@code *} for one name and in a type's name. */
    boolean isAt(String place) {
        String[] parts = place.split(" /", 2);
        String[] steps = parts[1].split("/");
        if (!type.matches(parts[0].replace("*", "[\\w:]+")) || steps.length != path.size()) {
            return false;
        }
        for (int i = 0; i < steps.length; i++) {
            if (!steps[i].equals("*") && !steps[i].equals(path.get(i))) {
                return false;
            }
        }
        return true;
    }

    @Override
    public String toString() {
        return id + " (" + type + ") /" + String.join("/", path) + " is \"" + value + '"';
    }
}
