/* SPDX-License-Identifier: Apache-2.0 */
/* The table of tsuji-vsctl's commands, from which its help and its man page are made. */
#include "utilities/vsctl.h"

const struct vsctl_syntax vsctl_commands[] = {
    { "Switch commands", "init", 0, 0, "", "", "initialize the database, if that was not done yet",
      true, vsctl_watch_model, vsctl_run_init, NULL },
    { NULL, "show", 0, 0, "", "", "print an overview of the configuration",
      false, vsctl_watch_show, vsctl_run_show, NULL },
    { NULL, "emer-reset", 0, 0, "", "", "take back what controllers and managers configured",
      true, vsctl_watch_all, vsctl_run_emer_reset, NULL },

    { "Bridge commands", "add-br", 1, 3, "BRIDGE [PARENT VLAN]", "--may-exist",
      "create BRIDGE, or a fake BRIDGE on a VLAN of PARENT",
      true, vsctl_watch_model, vsctl_run_add_br, NULL },
    { NULL, "del-br", 1, 1, "BRIDGE", "--if-exists", "delete BRIDGE and all of its ports",
      true, vsctl_watch_model, vsctl_run_del_br, NULL },
    { NULL, "list-br", 0, 0, "", "--real,--fake", "print the names of all bridges",
      false, vsctl_watch_model, vsctl_run_list_br, NULL },
    { NULL, "br-exists", 1, 1, "BRIDGE", "", "exit with 2 if there is no BRIDGE",
      false, vsctl_watch_model, vsctl_run_br_exists, NULL },
    { NULL, "br-to-vlan", 1, 1, "BRIDGE", "", "print the VLAN of a fake BRIDGE, 0 for a real one",
      false, vsctl_watch_model, vsctl_run_br_to_vlan, NULL },
    { NULL, "br-to-parent", 1, 1, "BRIDGE", "", "print the bridge that carries BRIDGE",
      false, vsctl_watch_model, vsctl_run_br_to_parent, NULL },
    { NULL, "br-set-external-id", 2, 3, "BRIDGE KEY [VALUE]", "",
      "set KEY of BRIDGE to VALUE, or remove it",
      true, vsctl_watch_model, vsctl_run_br_set_external_id, NULL },
    { NULL, "br-get-external-id", 1, 2, "BRIDGE [KEY]", "",
      "print the value of KEY of BRIDGE, or all keys with their values",
      false, vsctl_watch_model, vsctl_run_br_get_external_id, NULL },

    { "Port commands (a bond is one port)", "list-ports", 1, 1, "BRIDGE", "",
      "print the names of the ports of BRIDGE",
      false, vsctl_watch_model, vsctl_run_list_ports, NULL },
    { NULL, "add-port", 2, -1, "BRIDGE PORT [COLUMN[:KEY]=VALUE]...", "--may-exist",
      "add the device PORT to BRIDGE", true, vsctl_watch_model, vsctl_run_add_port, NULL },
    { NULL, "add-bond", 4, -1, "BRIDGE PORT IFACE IFACE... [COLUMN[:KEY]=VALUE]...",
      "--may-exist,--fake-iface", "add the bond PORT of several IFACEs to BRIDGE",
      true, vsctl_watch_model, vsctl_run_add_bond, NULL },
    { NULL, "add-bond-iface", 2, 2, "BOND IFACE", "--may-exist", "add IFACE to BOND",
      true, vsctl_watch_model, vsctl_run_add_bond_iface, NULL },
    { NULL, "del-bond-iface", 1, 2, "[BOND] IFACE", "--if-exists", "take IFACE out of its bond",
      true, vsctl_watch_model, vsctl_run_del_bond_iface, NULL },
    { NULL, "del-port", 1, 2, "[BRIDGE] PORT", "--if-exists,--with-iface",
      "delete PORT, or with --with-iface the port of an interface",
      true, vsctl_watch_model, vsctl_run_del_port, NULL },
    { NULL, "port-to-br", 1, 1, "PORT", "", "print the bridge of PORT",
      false, vsctl_watch_model, vsctl_run_port_to_br, NULL },

    { "Interface commands (a bond has several)", "list-ifaces", 1, 1, "BRIDGE", "",
      "print the names of the interfaces of BRIDGE",
      false, vsctl_watch_model, vsctl_run_list_ifaces, NULL },
    { NULL, "iface-to-br", 1, 1, "IFACE", "", "print the bridge of IFACE",
      false, vsctl_watch_model, vsctl_run_iface_to_br, NULL },

    { "Controller commands", "get-controller", 1, 1, "BRIDGE", "",
      "print the controllers of BRIDGE",
      false, vsctl_watch_settings, vsctl_run_get_controller, NULL },
    { NULL, "del-controller", 1, 1, "BRIDGE", "", "delete the controllers of BRIDGE",
      true, vsctl_watch_settings, vsctl_run_del_controller, NULL },
    { NULL, "set-controller", 1, -1, "BRIDGE TARGET...", "--inactivity-probe=",
      "set the controllers of BRIDGE (probe in ms)",
      true, vsctl_watch_settings, vsctl_run_set_controller, NULL },
    { NULL, "get-fail-mode", 1, 1, "BRIDGE", "", "print what BRIDGE does without a controller",
      false, vsctl_watch_settings, vsctl_run_get_fail_mode, NULL },
    { NULL, "del-fail-mode", 1, 1, "BRIDGE", "", "set it to the default",
      true, vsctl_watch_settings, vsctl_run_del_fail_mode, NULL },
    { NULL, "set-fail-mode", 2, 2, "BRIDGE MODE", "", "set it to \"standalone\" or \"secure\"",
      true, vsctl_watch_settings, vsctl_run_set_fail_mode, NULL },

    { "Manager commands", "get-manager", 0, 0, "", "", "print the managers",
      false, vsctl_watch_settings, vsctl_run_get_manager, NULL },
    { NULL, "del-manager", 0, 0, "", "", "delete the managers",
      true, vsctl_watch_settings, vsctl_run_del_manager, NULL },
    { NULL, "set-manager", 1, -1, "TARGET...", "--inactivity-probe=",
      "set the managers (probe in ms)",
      true, vsctl_watch_settings, vsctl_run_set_manager, NULL },

    { "SSL commands", "get-ssl", 0, 0, "", "", "print the files of the SSL configuration",
      false, vsctl_watch_settings, vsctl_run_get_ssl, NULL },
    { NULL, "del-ssl", 0, 0, "", "", "delete the SSL configuration",
      true, vsctl_watch_settings, vsctl_run_del_ssl, NULL },
    { NULL, "set-ssl", 3, 5, "KEY CERTIFICATE CA-CERTIFICATE [PROTOCOLS [CIPHERS]]", "--bootstrap",
      "set the SSL configuration", true, vsctl_watch_settings, vsctl_run_set_ssl, NULL },

    { "Auto attach commands", "add-aa-mapping", 3, 3, "BRIDGE I-SID VLAN", "",
      "map VLAN to the service I-SID on BRIDGE",
      true, vsctl_watch_settings, vsctl_run_add_aa_mapping, NULL },
    { NULL, "del-aa-mapping", 3, 3, "BRIDGE I-SID VLAN", "", "delete that mapping",
      true, vsctl_watch_settings, vsctl_run_del_aa_mapping, NULL },
    { NULL, "get-aa-mapping", 1, 1, "BRIDGE", "", "print the mappings of BRIDGE",
      false, vsctl_watch_settings, vsctl_run_get_aa_mapping, NULL },

    { "Connection tracking and datapath commands", "add-zone-tp", 2, -1,
      "DATAPATH zone=ZONE KEY=SECONDS...", "--may-exist", "set the timeouts of ZONE",
      true, vsctl_watch_zones, vsctl_run_add_zone_tp, NULL },
    { NULL, "del-zone-tp", 2, 2, "DATAPATH zone=ZONE", "--if-exists",
      "delete the timeouts of ZONE", true, vsctl_watch_zones, vsctl_run_del_zone_tp, NULL },
    { NULL, "list-zone-tp", 1, 1, "DATAPATH", "", "print the timeouts of all zones",
      false, vsctl_watch_zones, vsctl_run_list_zone_tp, NULL },
    { NULL, "set-zone-limit", 3, 3, "DATAPATH zone=ZONE|default LIMIT", "",
      "limit the connections of ZONE, or of zones without a limit",
      true, vsctl_watch_zones, vsctl_run_set_zone_limit, NULL },
    { NULL, "del-zone-limit", 2, 2, "DATAPATH zone=ZONE|default", "--if-exists",
      "delete that limit", true, vsctl_watch_zones, vsctl_run_del_zone_limit, NULL },
    { NULL, "list-zone-limits", 1, 1, "DATAPATH", "", "print the limits of all zones",
      false, vsctl_watch_zones, vsctl_run_list_zone_limits, NULL },
    { NULL, "list-dp-cap", 1, 1, "DATAPATH", "", "print what the datapath can do",
      false, vsctl_watch_zones, vsctl_run_list_dp_cap, NULL },

    { "Database commands", "list", 1, -1, "TABLE [RECORD]...", "--if-exists,--columns=",
      "print records, or all records, of TABLE",
      false, vsctl_watch_records, vsctl_run_list, NULL },
    { NULL, "find", 1, -1, "TABLE [COLUMN[:KEY]=VALUE]...", "--columns=",
      "print the records of TABLE that satisfy all conditions (operators = != < > <= >= {=} {!=} {<} "
      "{>} {<=} {>=} {in} {not-in})", false, vsctl_watch_records, vsctl_run_find, NULL },
    { NULL, "get", 2, -1, "TABLE RECORD [COLUMN[:KEY]]...", "--if-exists,--id=",
      "print values of RECORD", false, vsctl_watch_records, vsctl_run_get, NULL },
    { NULL, "set", 3, -1, "TABLE RECORD COLUMN[:KEY]=VALUE...", "--if-exists",
      "set values of RECORD", true, vsctl_watch_records, vsctl_run_set, NULL },
    { NULL, "add", 4, -1, "TABLE RECORD COLUMN [KEY=]VALUE...", "--if-exists",
      "add values to a set, or pairs to a map",
      true, vsctl_watch_records, vsctl_run_add, NULL },
    { NULL, "remove", 4, -1, "TABLE RECORD COLUMN KEY|VALUE|KEY=VALUE...", "--if-exists",
      "remove values from a set, or keys from a map",
      true, vsctl_watch_records, vsctl_run_remove, NULL },
    { NULL, "clear", 3, -1, "TABLE RECORD COLUMN...", "--if-exists",
      "empty sets and maps", true, vsctl_watch_records, vsctl_run_clear, NULL },
    { NULL, "create", 2, -1, "TABLE COLUMN[:KEY]=VALUE...", "--id=",
      "make a record, which other commands may call @NAME with --id=@NAME",
      true, vsctl_watch_records, vsctl_run_create, vsctl_finish_create },
    { NULL, "destroy", 1, -1, "TABLE [RECORD]...", "--if-exists,--all", "delete records",
      true, vsctl_watch_records, vsctl_run_destroy, NULL },
    { NULL, "wait-until", 2, -1, "TABLE RECORD [COLUMN[:KEY]=VALUE]...", "",
      "wait until RECORD is there and satisfies all conditions",
      false, vsctl_watch_records, vsctl_run_wait_until, NULL },
    { NULL, "comment", 0, -1, "[WORD]...", "", "note the words in the database's journal",
      false, vsctl_watch_nothing, vsctl_run_comment, NULL },
    { .name = NULL },
};

void vsctl_put_commands_help(struct text *t)
{
    for (const struct vsctl_syntax *s = vsctl_commands; s->name; s++) {
        if (s->section) {
            text_printf(t, "\n%s:\n", s->section);
        }
        size_t start = t->len;
        text_put(t, "  ");
        for (const char *p = s->options; *p;) {
            size_t n = strcspn(p, ",");
            text_printf(t, "[%.*s%s] ", (int) n, p, p[n - 1] == '=' ? "..." : "");
            p += n + (p[n] == ',');
        }
        text_printf(t, "%s%s%s", s->name, *s->arguments ? " " : "", s->arguments);
        if (t->len - start > 38) {
            text_printf(t, "\n%40s%s\n", "", s->help);
        } else {
            text_printf(t, "%*s%s\n", (int) (40 - (t->len - start)), "", s->help);
        }
    }
}
