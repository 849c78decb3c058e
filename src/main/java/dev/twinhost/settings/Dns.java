package dev.twinhost.settings;

/** Which of the site's DNS records the stack owns. */
public enum Dns {
    ALL,
    NONE
}
